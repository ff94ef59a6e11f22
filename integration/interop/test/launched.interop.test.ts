// The server as others' test suites start it, and the exports that they ask it for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BLKSTACK } from "../src/served.ts";
import { isMissing, run } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const SIZE_BYTES = 1024 * 1024;
const GREETING_BYTES = 18;

let bench: Workbench;

beforeEach(() => {
  bench = new Workbench();
  bench.writePattern("disk.img", SIZE_BYTES);
});

afterEach(() => {
  bench.clear();
});

/** Serves the image under these names for as long as the command takes; answers what that prints. */
async function serveNamed(names: readonly string[], command: string): Promise<string> {
  const exports = Object.fromEntries(names.map((name) => [name, { device: "disk" }]));
  const stack = { disks: { disk: { file: "disk.img", readOnly: true } }, exports };
  writeFileSync(bench.path("stack.yaml"), JSON.stringify(stack));
  const { stdout, stderr } = await run(BLKSTACK, ["serve", "stack.yaml", "--run", command], {
    cwd: bench.folder,
  });
  expect(stderr).toBe("");
  return stdout;
}

describe("--stdio", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends by %s with 0, and without a word, while its client is connected",
    async (signal) => {
      const child = spawn(BLKSTACK, ["serve", "--file", "disk.img", "--stdio"], {
        cwd: bench.folder,
        stdio: ["pipe", "pipe", "pipe"],
        timeout: 110_000,
      });
      let complaints = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
      const [greeting] = (await once(child.stdout, "data")) as [Buffer];
      expect(greeting).toHaveLength(GREETING_BYTES);
      const ended = once(child, "exit");
      child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(complaints).toBe("");
    },
  );
});

const NAMES = ["", "/", "vm/disk 1", "50%", "a?b&c#d=e", "リソース", "x".repeat(4096)];

describe.skipIf(isMissing("nbdinfo"))("nbdinfo", () => {
  it("lists exports whatever they are called, and reaches each by the address it makes", async () => {
    const listed = await serveNamed(NAMES, 'nbdinfo --list --json "$uri"');
    const { exports } = JSON.parse(listed) as { exports: { "export-name": string; uri: string }[] };
    expect(exports.map((each) => each["export-name"])).toEqual(NAMES);
    const paths = exports.map(
      ({ uri }) => /^nbd\+unix:\/\/(?<path>[^?]*)/.exec(uri)?.groups?.["path"],
    );
    const ask = paths.map(
      (path) => `nbdinfo --size 'nbd+unix://${String(path)}?socket='"$unixsocket"`,
    );
    const sizes = await serveNamed(NAMES, ask.join(";"));
    expect(sizes).toBe(`${String(SIZE_BYTES)}\n`.repeat(NAMES.length));
  });
});

describe.skipIf(isMissing("qemu-nbd"))("qemu-nbd", () => {
  it("lists sixty exports, with the contexts of each, over one connection", async () => {
    const names = Array.from({ length: 60 }, (_, n) => `disk-${String(n)}`);
    const listed = await serveNamed(names, "qemu-nbd --list --socket=$unixsocket");
    expect(listed.match(/ export: '/g)).toHaveLength(60);
    expect(listed.match(/base:allocation/g)).toHaveLength(60);
  });
});
