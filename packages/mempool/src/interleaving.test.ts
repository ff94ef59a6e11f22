import { GFP_NOIO, type Task, type Waitable } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { type Element, TestMemory } from "../test/test-memory.ts";
import { Mempool } from "./mempool.ts";

const TWO_RETRIES_MS = 11_000;
const TURN: Waitable = { label: "its turn", blockers: () => [] };

/** All orders in which `tasks` tasks can make `steps` steps each: lists of task numbers. */
function* interleavings(tasks: number, steps: number): Generator<number[]> {
  const left = Array.from({ length: tasks }, () => steps);
  const order: number[] = [];
  yield* (function* extend(): Generator<number[]> {
    if (order.length === tasks * steps) yield order.slice();
    for (const [task, count] of left.entries()) {
      if (count === 0) continue;
      left[task] = count - 1;
      order.push(task);
      yield* extend();
      order.pop();
      left[task] = count;
    }
  })();
}

/**
 * Whether `tasks` tasks that take `perTask` elements each before they give any back are stuck for
 * ever, when they go about it in `order`. Nobody has memory.
 */
async function isDeadlock(minNr: number, perTask: number, order: number[]): Promise<boolean> {
  const scheduler = new VirtualScheduler();
  const memory = new TestMemory();
  const pool = new Mempool({ scheduler, label: "pool", allocator: memory, minNr });
  memory.isEmpty = true;
  const turns: number[] = [];
  const tasks: Task[] = [];
  const turn = async (number: number, task: Task): Promise<void> => {
    while (turns[number] === 0) await scheduler.sleep(task, TURN);
    turns[number] = (turns[number] ?? 0) - 1;
  };
  for (const number of new Set(order)) {
    turns[number] = 0;
    tasks[number] = scheduler.spawn(`task ${String(number)}`, async (task) => {
      const held: (Element | null)[] = [];
      while (held.length < perTask) {
        await turn(number, task);
        held.push(await pool.alloc(GFP_NOIO, task));
      }
      await turn(number, task);
      for (const element of held) pool.free(element);
    });
  }
  await scheduler.run();
  for (const number of order) {
    turns[number] = (turns[number] ?? 0) + 1;
    const task = tasks[number];
    if (task?.waitingFor === TURN) scheduler.wake(task);
    await scheduler.run();
  }
  const before = pool.liveCount;
  await scheduler.advance(TWO_RETRIES_MS);
  expect(pool.liveCount).toBe(before);
  const isStuck = scheduler.sleepers().length > 0;
  if (!isStuck) expect([pool.liveCount, pool.currNr]).toEqual([0, minNr]);
  return isStuck;
}

describe("two tasks that need two elements each", () => {
  it("are stuck with a reserve of two when they take turns (T3.7)", async () => {
    expect(await isDeadlock(2, 2, [0, 1, 0, 1, 0, 1])).toBe(true);
    expect(await isDeadlock(2, 2, [0, 0, 0, 1, 1, 1])).toBe(false);
  });

  it.each([
    { tasks: 2, perTask: 2 },
    { tasks: 3, perTask: 2 },
    { tasks: 2, perTask: 3 },
  ])(
    "or $tasks that need $perTask: never stuck with N(k-1)+1, sometimes with one less",
    async ({ tasks, perTask }) => {
      const enough = tasks * (perTask - 1) + 1;
      let stuckWithLess = 0;
      for (const order of interleavings(tasks, perTask + 1)) {
        expect(await isDeadlock(enough, perTask, order)).toBe(false);
        if (await isDeadlock(enough - 1, perTask, order)) stuckWithLess += 1;
      }
      expect(stuckWithLess).toBeGreaterThan(0);
    },
  );
});

describe("any number of tasks that take one element each", () => {
  it("all get one, in every order, with no time lost to the retry", async () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const memory = new TestMemory();
      const pool = new Mempool({ scheduler, label: "pool", allocator: memory, minNr: 2 });
      memory.isEmpty = true;
      let done = 0;
      for (let number = 0; number < 6; number += 1) {
        scheduler.spawn(`task ${String(number)}`, async (task) => {
          for (let round = 0; round < 3; round += 1) {
            const element = await pool.alloc(GFP_NOIO, task);
            await scheduler.mayPreempt(task, { object: pool, mode: 0, label: "use" });
            pool.free(element);
          }
          done += 1;
        });
      }
      await scheduler.run();
      expect([done, pool.currNr]).toEqual([6, 2]);
      expect(scheduler.clock.nowMs()).toBe(1000);
    }
  });
});
