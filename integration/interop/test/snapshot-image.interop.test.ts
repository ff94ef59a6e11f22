// What tools that know Linux' formats make of the store of a snapshot.
import { afterEach, beforeEach, expect, it } from "vitest";
import { ServedStack } from "../src/served-stack.ts";
import { snapshotStack } from "../src/snapshot-stack.ts";
import { isMissing, succeed } from "../src/tools.ts";

const CHUNK_SECTORS = 16;

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
