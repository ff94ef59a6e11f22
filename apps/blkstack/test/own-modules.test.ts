import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

const STACK = `targets: [MODULE]
disks:
  base: { ram: 1MiB }
devices:
  md: |
    0 2048 same base
exports:
  md: { device: md }
`;

const TARGET = `export const same = {
  name: "same", version: [1, 0, 0], apiVersion: VERSION,
  create(context) {
    const device = context.openDevice(context.args[0]);
    return {
      map(bio) { bio.device = device; return 1; },
      status: (kind) => (kind === "table" ? context.args[0] : ""),
      devices: () => [{ device, startSector: 0, sizeSectors: context.sizeSectors }],
    };
  },
};
`;

const SCENARIOS = `export const waits = {
  name: "waits", summary: "somebody waits for what nobody does",
  variants: { forgotten: { expect: "STALL", summary: "nobody completes it" } },
  build(world) {
    const done = { label: "done", blockers: () => [] };
    world.spawn("waiter", (task) => world.scheduler.sleep(task, done));
  },
};
`;

let folder = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, "same.mjs"), TARGET.replace("VERSION", "1"));
  await writeFile(join(folder, "future.mjs"), TARGET.replace("VERSION", "2"));
  await writeFile(
    join(folder, "linear.mjs"),
    TARGET.replace("VERSION", "1").replace('"same"', '"linear"'),
  );
  await writeFile(join(folder, "nothing.mjs"), "export const nothing = 0;\n");
  await writeFile(join(folder, "broken.mjs"), "throw new Error('no such luck');\n");
  await writeFile(join(folder, "scenarios.mjs"), SCENARIOS);
  const installed = join(folder, "node_modules", "dm-same");
  await mkdir(installed, { recursive: true });
  const manifest = { name: "dm-same", type: "module", exports: { import: "./same.js" } };
  await writeFile(join(installed, "package.json"), JSON.stringify(manifest));
  await writeFile(join(installed, "same.js"), TARGET.replace("VERSION", "1"));
});

async function check(module: string): ReturnType<typeof run> {
  await writeFile(join(folder, "s.yaml"), STACK.replace("MODULE", module));
  return run(["check", "s.yaml"], { cwd: folder });
}

describe("a target that a stack file brings along", () => {
  it.each(["./same.mjs", "dm-same"])("may be named by tables: %s", async (module) => {
    const { status, stdout, stderr } = await check(module);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "s.yaml is good: 1 disk, 1 device, 1 export\n",
      stderr: "",
    });
  });

  it.each([
    ["./future.mjs", 'has target "same" for contract version 2; this is version 1'],
    ["./linear.mjs", 'has target "linear", and there is one of that name already'],
    ["./nothing.mjs", "exports no target; it should export what defineTarget answers"],
    ["./broken.mjs", "cannot be loaded: no such luck"],
    ["./missing.mjs", "cannot be loaded: Cannot find module"],
    ["dm-missing", "cannot be loaded: Cannot find package 'dm-missing'"],
  ])("is refused with its place: %s", async (module, why) => {
    const { status, stderr } = await check(module);
    expect(stderr).toContain(`blkstack: s.yaml:1:11: module ${JSON.stringify(module)} ${why}`);
    expect(status).toBe(2);
  });
});

describe("scenarios of the user's own", () => {
  it("are listed, explored and replayed with --from", async () => {
    const from = ["--from", "./scenarios.mjs"];
    const listed = await run(["scenarios", ...from], { cwd: folder });
    expect(listed.stdout).toContain("waits:forgotten");
    const { status, stdout, stderr } = await run(["explore", "waits:forgotten", ...from], {
      cwd: folder,
    });
    expect({ status, stdout, stderr }).toMatchObject({
      stderr: "",
      status: 1,
      stdout: expect.stringContaining("STALL") as string,
    });
    const line = /replay: blkstack replay "(.*)"/.exec(stdout)?.[1] ?? "";
    const replayed = await run(["replay", line, ...from], { cwd: folder });
    expect({ status: replayed.status, stderr: replayed.stderr }).toEqual({ status: 1, stderr: "" });
  });

  it("are missed by name when a module has none", async () => {
    const { status, stderr } = await run(["explore", "x", "--from", "./same.mjs"], { cwd: folder });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr:
        "blkstack: --from ./same.mjs: exports no scenario; it should export what defines one\n",
    });
  });
});
