import { mkdir, writeFile } from "node:fs/promises";
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

it("cases that wait for a target are told apart from those that differ", async () => {
  const cwd = await temporaryFolder();
  const caseOf = (name: string, type: string): unknown => {
    const ops = [{ op: "create", name: "t", table: [`0 8 ${type}`], rc: 0 }];
    return { name, disks: {}, boots: [{ ops, devices_at_end: { "253:0": "dm-0 t" } }] };
  };
  for (const [name, type] of [
    ["same", "zero"],
    ["to-come", "perpetuum-mobile"],
    ["other", "error\n8 8 zero x"],
  ] as const) {
    await mkdir(join(cwd, name));
    await writeFile(join(cwd, name, "case.json"), JSON.stringify(caseOf(name, type)));
  }
  const { status, stdout } = await run(["golden", "."], { cwd });
  const sentence = 'needs the target "perpetuum-mobile", which blkstack does not have yet';
  expect(status).toBe(1);
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^DIFFERS other .*exit code: recorded 0, here 1/),
    expect.stringMatching(/^ok +same /),
    `WAITS   to-come  ${sentence}`,
    "3 cases: 1 passed, 1 differ, 1 wait for targets (perpetuum-mobile)",
    "",
  ]);
  const json = await run(["golden", "to-come", "--json"], { cwd });
  expect(JSON.parse(json.stdout)).toEqual({
    cases: [{ name: "to-come", ok: false, compared: 0, notReplayed: [], differences: [sentence] }],
  });
});
