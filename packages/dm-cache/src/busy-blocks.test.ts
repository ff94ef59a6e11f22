import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, expect, it } from "vitest";
import { BusyBlocks } from "./busy-blocks.ts";

let scheduler: VirtualScheduler;
let busy: BusyBlocks;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  busy = new BusyBlocks("c", scheduler);
});

/** Who has blocks. */
const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
const shared = { first: 3, end: 5, isExclusive: false };
const exclusive = { first: 4, end: 6, isExclusive: true };

it("blocks are shared by those who read them, and had by one who writes them", () => {
  expect(busy.tryClaim(shared, a)).toBe(true);
  expect(busy.tryClaim(shared, b)).toBe(true);
  expect(busy.tryClaim(exclusive, c)).toBe(false);
  expect(busy.tryClaim({ ...exclusive, first: 5 }, c)).toBe(true);
  expect(busy.isExclusive(4, 5)).toBe(false);
  expect(busy.isExclusive(4, 6)).toBe(true);
});

it("who waits is not overtaken by those who could share with others, and then has its turn", async () => {
  const order: string[] = [];
  expect(busy.tryClaim(shared, a)).toBe(true);
  const claims = (name: string, range: typeof shared) => async (task: Task) => {
    await busy.claim(range, task, task);
    order.push(name);
    busy.release(range, task);
  };
  scheduler.spawn("writer", claims("writer", exclusive));
  await scheduler.run();
  expect(busy.tryClaim(shared, b)).toBe(false);
  scheduler.spawn("reader", claims("reader", shared));
  await scheduler.run();
  expect(order).toEqual([]);
  expect(busy.blockers()).toEqual([a]);
  busy.release(shared, a);
  await scheduler.run();
  expect(order).toEqual(["writer", "reader"]);
  expect(busy.tryClaim(exclusive, c)).toBe(true);
});

it("a range of more blocks than there are numbers for is every block", () => {
  const all = { first: 0, end: 1_000_000, isExclusive: true };
  expect(busy.tryClaim(all, a)).toBe(true);
  expect(busy.isExclusive(999_999, 1_000_000)).toBe(true);
  busy.release(all, a);
  expect(busy.isExclusive(0, 1_000_000)).toBe(false);
  expect(busy.tryClaim(shared, a)).toBe(true);
});
