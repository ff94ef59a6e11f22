import { BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { MemoryCow } from "../test/memory-cow.ts";
import { commitAll, inTask, range } from "../test/store-bench.ts";
import { LoadResult, TransientStore } from "./index.ts";

it("all of the device is data, from its first chunk on", async () => {
  const cow = new MemoryCow(132);
  const store = new TransientStore(cow, 8);
  expect(store.load()).toBe(LoadResult.Usable);
  expect(store.statusText()).toBe("0/132 0");
  expect(store.remaining()).toBe(16);
  expect(store.prepare()).toBe(0);
  expect(await commitAll(store, range(0, 15))).toEqual(Array<boolean>(15).fill(true));
  expect(store.prepare()).toBe(-1);
  expect(store.statusText()).toBe("128/132 0");
  expect(cow.log).toEqual([]);
});

it("it grows with its device, and tells how far that may shrink", () => {
  const cow = new MemoryCow(8);
  const store = new TransientStore(cow, 8);
  expect([store.prepare(), store.prepare()]).toEqual([0, -1]);
  cow.sizeSectors = 16;
  expect(store.prepare()).toBe(1);
  expect([store.canShrinkTo(16), store.canShrinkTo(15)]).toEqual([true, false]);
});

it("it has nothing to merge and nothing to mark", async () => {
  const store = new TransientStore(new MemoryCow(64), 8);
  expect(store.canMerge).toBe(false);
  expect(store.prepareMerge()).toBe(BioStatus.NotSupported);
  expect(store.commitMerge()).toBe(BioStatus.NotSupported);
  expect(store.drop()).toBe(BioStatus.Ok);
  expect(store.isValid).toBe(false);
  const told: boolean[] = [];
  const onCommitted = (isDurable: boolean): void => void told.push(isDurable);
  const exception = { oldChunk: 1, newChunk: store.prepare(), isCopied: true };
  await inTask((task) => store.commit(exception, { onCommitted }, task));
  expect(told).toEqual([false]);
});

it("a failed copy loses the snapshot", async () => {
  const store = new TransientStore(new MemoryCow(64), 8);
  expect(await commitAll(store, [1], { copied: false })).toEqual([false]);
  expect(store.isValid).toBe(false);
});
