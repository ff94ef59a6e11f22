import { SECTOR_BYTES } from "@blkstack/bio";
import { expect, it } from "vitest";
import { MemoryCow } from "../test/memory-cow.ts";
import { inTask, load, type Loaded, range, scheduler } from "../test/store-bench.ts";
import type { ExceptionStore } from "./index.ts";

type Exception = readonly [oldChunk: number, newChunk: number];

/** What a store was told, and which of it was answered for when so many writes were done. */
interface History {
  readonly committed: Exception[];
  readonly answered: { readonly count: number; readonly writes: number }[];
}

const CHUNK = 2;
const below = (bound: number): number => scheduler.random.below(bound);

/** The data of a chunk tells which old chunk it was. */
function dataOf(oldChunk: number): Uint8Array {
  return new Uint8Array(CHUNK * SECTOR_BYTES).fill((oldChunk % 251) + 1);
}

/** Copies and commits chunks in batches, as a copier would. */
async function preserve(
  { store, cow }: { store: ExceptionStore; cow: MemoryCow },
  oldChunks: readonly number[],
  batch: number,
): Promise<History> {
  const history: History = { committed: [], answered: [] };
  let count = 0;
  const onCommitted = (isDurable: boolean): void => {
    expect(isDurable).toBe(true);
    count += 1;
    history.answered.push({ count, writes: cow.log.length });
  };
  await inTask(async (task) => {
    for (let first = 0; first < oldChunks.length; first += batch) {
      const exceptions = oldChunks
        .slice(first, first + batch)
        .map((oldChunk) => ({ oldChunk, newChunk: store.prepare(), isCopied: true }));
      for (const { oldChunk, newChunk } of exceptions)
        cow.write(newChunk * CHUNK, dataOf(oldChunk), 0);
      for (const exception of exceptions) {
        history.committed.push([exception.oldChunk, exception.newChunk]);
        await store.commit(exception, { onCommitted }, task);
      }
    }
  });
  return history;
}

function answeredBefore(history: History, writes: number): number {
  return Math.max(0, ...history.answered.filter((a) => a.writes <= writes).map((a) => a.count));
}

/** What is loaded must be a beginning of what was committed, with all that was answered for. */
function judge({ exceptions, cow }: Loaded, known: readonly Exception[], atLeast: number): void {
  expect(exceptions.length).toBeGreaterThanOrEqual(atLeast);
  expect(exceptions).toEqual(known.slice(0, exceptions.length));
  // One comparison for many: there are tens of thousands.
  const strangers = exceptions.filter(([oldChunk, newChunk]) =>
    Buffer.compare(cow.bytes(newChunk * CHUNK, CHUNK), dataOf(oldChunk)),
  );
  expect(strangers).toEqual([]);
}

it("whenever the power goes while a store is made, it is no store yet, or an empty one", async () => {
  const garbage = range(1, 63).map((at) => [at, new Uint8Array(512).fill(0x5a)] as const);
  const { cow } = await load(new MemoryCow(64, new Map(garbage)), CHUNK);
  let states = 0;
  for (let cut = 0; cut <= cow.log.length; cut += 1)
    for (const crashed of cow.crashesAt(cut, below)) {
      states += 1;
      expect((await load(crashed, CHUNK)).exceptions).toEqual([]);
    }
  expect(states).toBeGreaterThan(5);
});

it.each([
  { batch: 1, count: 6 },
  { batch: 3, count: 6 },
  { batch: 7, count: 80 },
  { batch: 40, count: 80 },
])(
  "whenever the power goes, what was answered for is there: $count in batches of $batch",
  async ({ batch, count }) => {
    const loaded = await load(new MemoryCow(1024), CHUNK);
    const history = await preserve(loaded, range(1000, count), batch);
    for (let cut = 2; cut <= loaded.cow.log.length; cut += 1)
      for (const crashed of loaded.cow.crashesAt(cut, below))
        judge(await load(crashed, CHUNK), history.committed, answeredBefore(history, cut));
  },
);

it("a second loss of power finds what the first one left and what came since, nothing else", async () => {
  const first = await load(new MemoryCow(1024), CHUNK);
  await preserve(first, range(1000, 20), 20);
  // The batch that is torn: its entries lie in both sectors of the area.
  await preserve(first, range(2000, 40), 40);
  let continued = 0;
  for (let cut = first.cow.log.length - 2; cut <= first.cow.log.length; cut += 1)
    for (const crashed of first.cow.crashesAt(cut, below)) {
      const second = await load(crashed, CHUNK);
      // As many as fill the area's first sector, behind which stale ones may lie.
      const room = 32 - second.exceptions.length;
      if (room <= 0) continue;
      continued += 1;
      const history = await preserve(second, range(3000, room), room);
      const known = [...second.exceptions, ...history.committed];
      const kept = second.exceptions.length;
      for (let again = 0; again <= second.cow.log.length; again += 1)
        for (const twice of second.cow.crashesAt(again, below))
          judge(await load(twice, CHUNK), known, kept + answeredBefore(history, again));
    }
  expect(continued).toBeGreaterThan(2);
});

it("whenever the power goes during a merge, what is left is a beginning of the list", async () => {
  const loaded = await load(new MemoryCow(1024), CHUNK);
  const { committed } = await preserve(loaded, [...range(100, 40), ...range(500, 40)], 10);
  const lengths: { length: number; writes: number }[] = [];
  let left = committed.length;
  await inTask(async (task) => {
    for (;;) {
      const run = await loaded.store.prepareMerge(task);
      if (run === null || typeof run === "number") return;
      await loaded.store.commitMerge(run.count, task);
      left -= run.count;
      lengths.push({ length: left, writes: loaded.cow.log.length });
    }
  });
  expect(left).toBe(0);
  const mergeFrom = loaded.cow.log.length - lengths.length;
  for (let cut = mergeFrom; cut <= loaded.cow.log.length; cut += 1)
    for (const crashed of loaded.cow.crashesAt(cut, below)) {
      const again = await load(crashed, CHUNK);
      judge(again, committed, 0);
      const merged = lengths.filter(({ writes }) => writes <= cut).at(-1);
      if (merged !== undefined) expect(again.exceptions.length).toBeLessThanOrEqual(merged.length);
    }
});

it("a mark as invalid that was answered for outlives the loss of power", async () => {
  const loaded = await load(new MemoryCow(1024), CHUNK);
  await preserve(loaded, [1], 1);
  await inTask((task) => loaded.store.drop(task));
  for (const crashed of loaded.cow.crashesAt(loaded.cow.log.length, below))
    expect((await load(crashed, CHUNK)).store.isValid).toBe(false);
});
