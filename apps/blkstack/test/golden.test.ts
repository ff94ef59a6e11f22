import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

it("a folder without cases is told in one line", async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "none"));
  expect(await run(["golden", "none", "--json"], { cwd })).toEqual({
    status: 2,
    stdout: "",
    stderr: "blkstack: none: no recorded cases (case.json) there\n",
  });
  const { status, stderr } = await run(["golden", "nowhere"], { cwd });
  expect({ status, lines: stderr.split("\n").length }).toEqual({ status: 2, lines: 2 });
});
