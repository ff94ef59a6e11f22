import { BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { commitAll, fresh, inTask, load, range } from "../test/store-bench.ts";
import type { ExceptionStore, MergeRun } from "./index.ts";

async function nextRun(store: ExceptionStore): Promise<MergeRun | BioStatus | null> {
  return inTask((task) => store.prepareMerge(task));
}

async function mergeAll(store: ExceptionStore): Promise<{ counts: number[]; states: string[] }> {
  const counts: number[] = [];
  const states: string[] = [];
  for (;;) {
    const run = await nextRun(store);
    if (run === null) return { counts, states };
    if (typeof run === "number") throw new Error(`status ${String(run)}`);
    counts.push(run.count);
    expect(await inTask((task) => store.commitMerge(run.count, task))).toBe(BioStatus.Ok);
    states.push(store.statusText());
  }
}

it("the newest go first, and neighbours that lie next to each other go together", async () => {
  const { store } = await fresh(1024);
  await commitAll(store, [7, 8, 9, 3]);
  expect(await nextRun(store)).toEqual({ lastOldChunk: 3, lastNewChunk: 5, count: 1 });
  await inTask((task) => store.commitMerge(1, task));
  expect(await nextRun(store)).toEqual({ lastOldChunk: 9, lastNewChunk: 4, count: 3 });
});

it("the status goes down as a kernel's did with the same exceptions", async () => {
  const { store } = await fresh(1024);
  await commitAll(store, [10, 11, 12, 20, ...range(30, 8), 100, 90, 95, 91, 92, 60]);
  const { states } = await mergeAll(store);
  expect(states.map((state) => parseInt(state, 10))).toEqual([152, 136, 128, 120, 112, 48, 40, 16]);
  expect(states.at(-1)).toBe("16/1024 16");
});

it("no step crosses an area, and the metadata shrinks with each that becomes empty", async () => {
  const { store, cow } = await fresh(8192, 1);
  await commitAll(store, range(0, 70));
  const { counts, states } = await mergeAll(store);
  expect(counts).toEqual([6, 32, 32]);
  expect(states).toEqual(["68/8192 4", "35/8192 3", "2/8192 2"]);
  for (const area of [1, 34, 67]) expect(cow.bytes(area, 1).every((byte) => byte === 0)).toBe(true);
  const again = await load(cow.again(), 1);
  expect([again.exceptions, again.store.statusText()]).toEqual([[], "2/8192 2"]);
});

it("an interrupted merge leaves a shorter snapshot, which can grow again", async () => {
  const { store, cow } = await fresh(8192, 1);
  await commitAll(store, range(0, 40));
  await nextRun(store);
  await inTask((task) => store.commitMerge(8, task));
  const again = await load(cow.again(), 1);
  expect(again.exceptions.map(([oldChunk]) => oldChunk)).toEqual(range(0, 32));
  await commitAll(again.store, [99]);
  expect((await load(again.cow.again(), 1)).exceptions.at(-1)).toEqual([99, 35]);
});

it("a step that cannot be written down changes nothing, and a later write does not do it either", async () => {
  const { store, cow } = await fresh(1024);
  await commitAll(store, [1, 5]);
  await nextRun(store);
  cow.failing = (kind) => kind === "write";
  expect(await inTask((task) => store.commitMerge(1, task))).toBe(BioStatus.IoError);
  cow.failing = () => false;
  expect(store.statusText()).toBe("32/1024 16");
  await commitAll(store, [7]);
  expect((await load(cow.again())).exceptions).toEqual([
    [1, 2],
    [5, 3],
    [7, 4],
  ]);
});

it("an area that cannot be read stops the merge and is asked for again", async () => {
  const { store, cow } = await fresh(8192, 1);
  await commitAll(store, range(0, 32));
  cow.failing = (kind) => kind === "read";
  expect(await nextRun(store)).toBe(BioStatus.IoError);
  expect(store.statusText()).toBe("35/8192 3");
  cow.failing = () => false;
  expect(await nextRun(store)).toEqual({ lastOldChunk: 31, lastNewChunk: 33, count: 32 });
});

it("more than there are cannot be merged", async () => {
  const { store } = await fresh(1024);
  await commitAll(store, [1]);
  await expect(inTask((task) => store.commitMerge(2, task))).rejects.toThrow("2 merged of too few");
});
