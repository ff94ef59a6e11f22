// A store that gets full, is made larger while it is in use, or is brought back into the origin.
import { truncateSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { BlockClient } from "../src/block-client.ts";
import { Errno } from "../src/raw-protocol.ts";
import { BLKSTACK } from "../src/served.ts";
import { ServedStack } from "../src/served-stack.ts";
import { run } from "../src/tools.ts";
import { eventually } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const CHUNK = 4096;
/** The store has room for 254 chunks: 1 MiB, less the header and the first area. */
const ROOM = 254;
const EIO = 5;

let stack: ServedStack;

const stackOf = (before: string, vm = "snapshot-origin base", size = ", size: 1MiB"): string => `
disks:
  base: { file: ./base.img, size: 8MiB, create: true }
  cow: { file: ./vm.cow${size}, create: true }
devices:
  vm: 0 16384 ${vm}
${before === "" ? "" : `  before: 0 16384 ${before}`}
exports:
  vm: { device: vm }
  cow: { device: cow, readOnly: true }
${before === "" ? "" : "  before: { device: before }"}
`;

beforeEach(() => {
  stack = new ServedStack();
  stack.bench.writePattern("base.img", 8 * MIB);
});

afterEach(async () => {
  await stack.clear();
});

/** Writes chunks from `first` on, all at once; answers the errors. */
async function writeChunks(client: BlockClient, first: number, count: number): Promise<number[]> {
  const writes = Array.from({ length: count }, (_, index) =>
    client.write((first + index) * CHUNK, Buffer.alloc(CHUNK, first + index)),
  );
  return (await Promise.all(writes)).map((answer) => answer?.errno ?? NaN);
}

/** Waits until the server has seen that the store is so long. */
async function growsTo(sizeBytes: number): Promise<void> {
  for (;;) {
    // What a client was told when it came does not change under it.
    const cow = await stack.open("cow");
    const answer = await cow.read(sizeBytes - CHUNK, CHUNK);
    cow.close();
    if (answer?.errno === Errno.Ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const all = (count: number, errno: number): number[] => Array<number>(count).fill(errno);

async function info(): Promise<unknown> {
  const { stdout } = await run(BLKSTACK, ["snapshot", "info", "vm.cow", "--json"], {
    cwd: stack.bench.folder,
  });
  return JSON.parse(stdout);
}

it("the origin goes on when the store is full: first comes a warning, then the snapshot is invalid", async () => {
  await stack.serve(stackOf("snapshot base cow P 8"));
  const [vm, before] = [await stack.open("vm"), await stack.open("before")];
  expect(await writeChunks(vm, 0, 231)).toEqual(all(231, 0));
  await eventually(() => {
    expect(stack.served.stderr).toMatch(
      /^blkstack: before: the store is 9\d % full: \d+ of 2048 sectors\n$/,
    );
  });
  expect((await before.read(0, CHUNK))?.errno).toBe(Errno.Ok);
  expect(await writeChunks(vm, 231, 100)).toEqual(all(100, 0));
  await eventually(() => {
    const line = "blkstack: before: Invalidating snapshot: Unable to allocate exception.\n";
    expect(stack.served.stderr).toContain(line);
  });
  expect((await before.read(0, CHUNK))?.errno).toBe(EIO);
  const answer = await vm.read(0, 400 * CHUNK);
  for (let chunk = 0; chunk < 331; chunk += 1) {
    const found = answer?.bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);
    expect(found?.equals(Buffer.alloc(CHUNK, chunk))).toBe(true);
  }
  expect(await stack.served.stop()).toBe(0);
  expect(await info()).toMatchObject({ state: "invalid", header: { valid: 0 } });
});

it("a store that may overflow goes on to be read, and refuses what it has no room for", async () => {
  await stack.serve(stackOf("snapshot base cow PO 8"));
  const before = await stack.open("before");
  expect(await writeChunks(before, 0, ROOM)).toEqual(all(ROOM, 0));
  expect(await writeChunks(before, ROOM, 2)).toEqual(all(2, EIO));
  await eventually(() => {
    expect(stack.served.stderr).toContain(
      "blkstack: before: Snapshot overflowed: Unable to allocate exception.\n",
    );
  });
  expect((await before.read(CHUNK, CHUNK))?.bytes.equals(Buffer.alloc(CHUNK, 1))).toBe(true);
  expect((await before.read(300 * CHUNK, CHUNK))?.errno).toBe(Errno.Ok);
});

it("a store that is made longer in time never gets full", async () => {
  await stack.serve(stackOf("snapshot base cow P 8"));
  const [vm, before] = [await stack.open("vm"), await stack.open("before")];
  const old = await before.read(0, 8 * MIB);
  expect(await writeChunks(vm, 0, 200)).toEqual(all(200, 0));
  truncateSync(stack.bench.path("vm.cow"), 9 * MIB);
  await growsTo(9 * MIB);
  expect(await writeChunks(vm, 200, 1848)).toEqual(all(1848, 0));
  expect((await before.read(0, 8 * MIB))?.bytes.equals(old?.bytes ?? Buffer.alloc(0))).toBe(true);
  expect(stack.served.stderr).not.toContain("Invalidating");
  expect(await stack.served.stop()).toBe(0);
  expect(await info()).toMatchObject({ state: "valid", exceptions: 2048, problemCount: 0 });
});

it("a merge shows the snapshot from its beginning on, is told of when it ends, and is in the image", async () => {
  await stack.serve(stackOf("snapshot base cow P 8"));
  const [vm, before] = [await stack.open("vm"), await stack.open("before")];
  await writeChunks(vm, 0, 100);
  await writeChunks(before, 50, 100);
  const old = (await before.read(0, 8 * MIB))?.bytes ?? Buffer.alloc(0);
  expect(await stack.served.stop()).toBe(0);
  await stack.serve(stackOf("", "snapshot-merge base cow P 8"));
  const merging = await stack.open("vm");
  expect((await merging.read(0, 8 * MIB))?.bytes.equals(old)).toBe(true);
  await eventually(() => {
    expect(stack.served.stderr).toBe("blkstack: vm: the merge has ended\n");
  });
  expect((await merging.read(0, 8 * MIB))?.bytes.equals(old)).toBe(true);
  expect(await stack.served.stop()).toBe(0);
  expect(await info()).toMatchObject({ exceptions: 0, problemCount: 0 });
  await stack.serve(stackOf("", "linear base 0", ", size: 1MiB"));
  const after = await stack.open("vm");
  expect((await after.read(0, 8 * MIB))?.bytes.equals(old)).toBe(true);
});
