import { describe, expect, it } from "vitest";
import { MemoryCow } from "../test/memory-cow.ts";
import { commitAll, fresh, inTask, range } from "../test/store-bench.ts";
import { type CowIo, type CowReport, inspectCow } from "./index.ts";

async function inspect(cow: CowIo): Promise<CowReport> {
  return inTask((task) => inspectCow(cow, task));
}

/** A store of the old chunks 10, 11 and 20, of which the bytes at a place were changed. */
async function damaged(at: number, ...bytes: number[]): Promise<MemoryCow> {
  const { store, cow } = await fresh(1024);
  await commitAll(store, [10, 11, 20]);
  const chunk = cow.bytes(at < 4096 ? 0 : 8, 8);
  chunk.set(bytes, at % 4096);
  cow.write(at < 4096 ? 0 : 8, chunk, 0);
  return cow;
}

const AREA = 4096;

it("a healthy store is told with its numbers", async () => {
  const { store, cow } = await fresh(4096);
  await commitAll(store, range(0, 257));
  const before = cow.log.length;
  expect(await inspect(cow)).toEqual({
    header: { magic: 0x70416e53, valid: 1, version: 1, chunkSectors: 8 },
    state: "valid",
    totalSectors: 4096,
    exceptions: 257,
    areas: 2,
    usedSectors: 2080,
    metadataSectors: 24,
    usedPercent: 50.78125,
    problems: [],
    problemCount: 0,
  });
  expect(cow.log.length).toBe(before);
});

it("a device of zeros is a store to be, and is left alone", async () => {
  const cow = new MemoryCow(64);
  expect(await inspect(cow)).toMatchObject({ state: "new", exceptions: 0, problemCount: 0 });
  expect(cow.log).toEqual([]);
});

describe("something wrong is found", () => {
  it.each([
    ["bad-magic", 0, [0x70], "Invalid or corrupt snapshot"],
    ["bad-version", 8, [2], "unable to handle snapshot disk version 2"],
    ["bad-chunk-size", 12, [3], "invalid on-disk chunk size 3"],
    ["invalidated", 4, [0], "marked as invalid"],
    ["duplicate-old-chunk", AREA + 32, [10], "10 → 4 comes behind 10 → 2, which counts"],
    ["duplicate-new-chunk", AREA + 40, [2], "20 → 2 shares its place with old chunk 10"],
    ["new-chunk-beyond-device", AREA + 40, [128], "20 → 128 lies behind the end"],
    ["new-chunk-is-metadata", AREA + 40, [1], "20 → 1 lies on metadata"],
    ["absurd-chunk", AREA + 39, [1], "names a chunk that no device has"],
    ["entries-behind-end", AREA + 64, [1, 2, 3], "area 0, in chunk 1, has more behind its 3"],
  ])("%s", async (kind, at, bytes, message) => {
    const report = await inspect(await damaged(at, ...bytes));
    expect(report.problems).toEqual([expect.objectContaining({ kind })]);
    expect(report.problems[0]?.message).toContain(message);
  });

  it("truncated", async () => {
    const { store, cow } = await fresh(4096);
    await commitAll(store, range(0, 256));
    const report = await inspect(cow.again(2064));
    expect(report.problems).toEqual([
      {
        kind: "truncated",
        message: "area 1, in chunk 258, lies behind the end of the device",
        area: 1,
      },
    ]);
    expect(report.exceptions).toBe(256);
    expect((await inspect(cow.again(0))).problems[0]?.kind).toBe("truncated");
  });

  it("unreadable", async () => {
    const cow = await damaged(AREA + 80);
    cow.failing = (kind, sector) => kind === "read" && sector === 8;
    expect((await inspect(cow)).problems[0]).toMatchObject({ kind: "unreadable", area: 0 });
    cow.failing = () => true;
    expect(await inspect(cow)).toMatchObject({ header: null, state: "unknown", problemCount: 1 });
  });

  it("a hundred times, and counted when it is more", async () => {
    const { store, cow } = await fresh(4096);
    await commitAll(store, Array<number>(250).fill(7));
    const report = await inspect(cow);
    expect([report.problems.length, report.problemCount]).toEqual([100, 249]);
  });
});
