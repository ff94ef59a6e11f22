import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

it("an image that ends inside a sector is served up to there, and people are told", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "odd.img"), Buffer.alloc(1000, 7));
  const { status, stderr } = await run(["serve", "--file", "odd.img", "--run", "true"], { cwd });
  expect(status).toBe(0);
  expect(stderr).toContain("odd.img is 1000 bytes long; the last 488 are no whole sector of 512");
});

it("nothing is said of one that ends with a sector", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "even.img"), Buffer.alloc(1024, 7));
  const { stderr } = await run(["serve", "--file", "even.img", "--run", "true"], { cwd });
  expect(stderr).toBe("");
});
