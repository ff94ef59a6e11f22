// The store of a snapshot beside Linux' tools, and the store that a kernel wrote beside ours.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ServedStack } from "../src/served-stack.ts";
import { snapshotStack } from "../src/snapshot-stack.ts";
import { isMissing, succeed } from "../src/tools.ts";

const CHUNK_SECTORS = 16;
const SECTOR_BYTES = 512;
const RECORDED = new URL("../../../apps/blkstack/test/golden/d-two-snapshots/", import.meta.url);

let stack: ServedStack;

beforeEach(() => {
  stack = new ServedStack();
});

afterEach(async () => {
  await stack.clear();
});

it.skipIf(isMissing("blkid", "file"))("blkid and file know it for one", async () => {
  await stack.serve(snapshotStack({ originMib: 1, storeMib: 1, chunkSectors: CHUNK_SECTORS }));
  const client = await stack.open("vm");
  expect((await client.write(0, Buffer.alloc(4096, 1)))?.errno).toBe(0);
  client.close();
  expect(await stack.served.stop()).toBe(0);
  const store = stack.bench.path("vm.cow");
  expect(await succeed("blkid", ["-p", store])).toContain('TYPE="DM_snapshot_cow"');
  expect(await succeed("file", ["--brief", store])).toBe(
    `LVM Snapshot (CopyOnWrite store) - valid, version 1, chunk_size ${String(CHUNK_SECTORS)}\n`,
  );
});

/** Puts a recorded image where a stack finds it. */
function unpack(recorded: string, name: string): void {
  const packed = readFileSync(fileURLToPath(new URL(recorded, RECORDED)));
  stack.bench.write(name, gunzipSync(packed));
}

/** Sectors as the recordings fill them: their number and a seed, over and over. */
function pattern(sector: number, sectors: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sectors * SECTOR_BYTES);
  for (let at = 0; at < bytes.length; at += 16) {
    bytes.writeBigUInt64LE(BigInt(sector + Math.floor(at / SECTOR_BYTES)), at);
    bytes.writeBigUInt64LE(BigInt(seed), at + 8);
  }
  return bytes;
}

it("what a kernel wrote shows what the snapshot showed there", async () => {
  unpack("origin.after0.img.gz", "base.img");
  unpack("cow1.after0.img.gz", "vm.cow");
  await stack.serve(`
disks:
  base: { file: ./base.img }
  cow: { file: ./vm.cow }
devices:
  s1: 0 4096 snapshot base cow P 8
exports:
  s1: { device: s1 }
`);
  const expected = pattern(0, 4096, 1);
  // What was written to the snapshot, and then to the origin while nobody kept what was there.
  for (const [sector, sectors, seed] of [
    [8, 1, 503],
    [200, 80, 507],
    [2000, 8, 513],
    [3000, 8, 512],
  ] as const) {
    pattern(sector, sectors, seed).copy(expected, sector * SECTOR_BYTES);
  }
  const client = await stack.open("s1");
  const answer = await client.read(0, expected.length);
  client.close();
  expect(answer?.bytes.equals(expected)).toBe(true);
});
