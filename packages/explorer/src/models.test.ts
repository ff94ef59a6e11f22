import { describe, expect, it } from "vitest";
import type { Cell } from "./cell.ts";
import { explore } from "./explore.ts";
import type { Report } from "./report.ts";
import { bioSplit, model, type Model, Op } from "../test/models.ts";

const { lock, unlock, take, give } = Op;

function range(count: number): number[] {
  return [...Array(count).keys()];
}

function mutex(tasks: number): Model {
  return (m) => {
    const held = m.cell("lock");
    for (const i of range(tasks)) m.task(`t${String(i)}`, [lock(held), unlock(held)]);
  };
}

function independent(tasks: number, steps: number): Model {
  return (m) => {
    for (const i of range(tasks)) {
      const own = m.cell(`own${String(i)}`);
      m.task(
        `t${String(i)}`,
        range(steps).map((value) => Op.write(own, value)),
      );
    }
  };
}

function abba(tasks: number): Model {
  return (m) => {
    const [a, b] = [m.cell("A"), m.cell("B")];
    for (const i of range(tasks)) {
      const [first, second] = i % 2 === 0 ? [a, b] : [b, a];
      m.task(`t${String(i)}`, [lock(first), lock(second), unlock(second), unlock(first)]);
    }
  };
}

function philosophers(count: number, isOrdered = false): Model {
  return (m) => {
    const forks = range(count).map((i) => m.cell(`fork${String(i)}`));
    for (const i of range(count)) {
      const pair = [forks[i], forks[(i + 1) % count]] as [Cell, Cell];
      if (isOrdered && i === count - 1) pair.reverse();
      const [first, second] = pair;
      m.task(`p${String(i)}`, [lock(first), lock(second), unlock(second), unlock(first)]);
    }
  };
}

function pool(tasks: number, each: number, size: number): Model {
  return (m) => {
    const elements = m.cell("pool", size);
    for (const i of range(tasks)) {
      const takes = range(each).map(() => take(elements));
      const gives = range(each).map(() => give(elements));
      m.task(`t${String(i)}`, [...takes, ...gives]);
    }
  };
}

function buffer(producers: number, consumers: number, each: number, capacity: number): Model {
  return (m) => {
    const [slots, items] = [m.cell("slots", capacity), m.cell("items")];
    const put = range(each).flatMap(() => [take(slots), give(items)]);
    const perConsumer = (producers * each) / consumers;
    const get = range(perConsumer).flatMap(() => [take(items), give(slots)]);
    for (const i of range(producers)) m.task(`producer${String(i)}`, put);
    for (const i of range(consumers)) m.task(`consumer${String(i)}`, get);
  };
}

function readersWriters(readers: number, writers: number): Model {
  return (m) => {
    const held = m.cell("rwsem");
    const readLock = Op.guarded(
      "down_read",
      held,
      () => held.value >= 0,
      () => (held.value += 1),
    );
    const readUnlock = Op.always("up_read", held, () => (held.value -= 1));
    const writeLock = Op.guarded(
      "down_write",
      held,
      () => held.value === 0,
      () => (held.value = -1),
    );
    const writeUnlock = Op.always("up_write", held, () => (held.value = 0));
    for (const i of range(readers)) m.task(`r${String(i)}`, [readLock, readUnlock]);
    for (const i of range(writers)) m.task(`w${String(i)}`, [writeLock, writeUnlock]);
  };
}

/** The waiter looks, and then sleeps; the waker may come in between. */
function lostWakeup(waiters: number): Model {
  return (m) => {
    const [condition, queue] = [m.cell("condition"), m.cell("queue")];
    for (const i of range(waiters)) {
      const bit = 1 << i;
      m.task(`waiter${String(i)}`, [
        Op.read("check", condition, (seen) => (seen !== 0 ? "end" : "next")),
        Op.always("sleep", queue, () => (queue.value |= bit)),
        Op.guarded("resume", queue, () => (queue.value & bit) === 0),
      ]);
    }
    m.task("waker", [Op.write(condition, 1), Op.always("wake", queue, () => (queue.value = 0))]);
  };
}

/** The waiter enqueues before it looks. */
function prepareToWait(waiters: number): Model {
  return (m) => {
    const [condition, queue] = [m.cell("condition"), m.cell("queue")];
    for (const i of range(waiters)) {
      const bit = 1 << i;
      m.task(`waiter${String(i)}`, [
        Op.always("prepare", queue, () => (queue.value |= bit)),
        Op.read("check", condition, (seen) => (seen !== 0 ? "skip" : "next")),
        Op.guarded("schedule", queue, () => (queue.value & bit) === 0),
        Op.always("finish", queue, () => (queue.value &= ~bit)),
      ]);
    }
    m.task("waker", [Op.write(condition, 1), Op.always("wake", queue, () => (queue.value = 0))]);
  };
}

function racyCounter(tasks: number): Model {
  return (m) => {
    const counter = m.cell("counter");
    for (const i of range(tasks)) {
      const register = m.cell(`register${String(i)}`);
      m.task(`t${String(i)}`, [
        Op.read("load", counter, (seen) => {
          register.value = seen;
          return "next";
        }),
        Op.always("store", counter, () => (counter.value = register.value + 1)),
      ]);
    }
    m.atEnd(() => (counter.value === tasks ? [] : [`counted ${String(counter.value)}`]));
  };
}

function countAll(build: Model): Promise<Report> {
  return explore(model(build), "model", { after: "all" });
}

function countStates(build: Model): Promise<Report> {
  return explore(model(build), "model", { after: "all", dedupe: "states" });
}

const NONE = 0;

describe("an exhaustive search runs each schedule exactly once", () => {
  const rows: readonly [string, Model, schedules: number, failing: number, states?: number][] = [
    ["mutex(3)", mutex(3), 6, NONE, 20],
    ["mutex(5)", mutex(5), 120, NONE, 112],
    ["mutex(6)", mutex(6), 720, NONE, 256],
    ["independent(3x3)", independent(3, 3), 1680, NONE, 64],
    ["AB-BA of two", abba(2), 6, 2, 19],
    ["AB, BA, AB", abba(3), 26, 10, 56],
    ["philosophers(2)", philosophers(2), 6, 2, 19],
    ["philosophers(3)", philosophers(3), 168, 6, 87],
    ["philosophers(3) in order", philosophers(3, true), 142, NONE, 72],
    ["pool(2,2,2)", pool(2, 2, 2), 6, 2, 19],
    ["pool(3,2,3)", pool(3, 2, 3), 1356, 6, 99],
    ["pool(2,2,3)", pool(2, 2, 3), 34, NONE, 24],
    ["buffer(1,1,3,2)", buffer(1, 1, 3, 2), 36, NONE, 21],
    ["readers and writers (2,1)", readersWriters(2, 1), 14, NONE, 22],
    ["readers and writers (2,2)", readersWriters(2, 2), 48, NONE, 52],
    ["readers and writers (3,2)", readersWriters(3, 2), 768, NONE, 140],
    ["lost wake-up (1)", lostWakeup(1), 5, 1, 12],
    ["lost wake-up (2)", lostWakeup(2), 82, 30, 50],
    ["prepare to wait (1)", prepareToWait(1), 8, NONE, 16],
    ["prepare to wait (2)", prepareToWait(2), 456, NONE, 98],
    ["racy counter (2)", racyCounter(2), 6, 4, 13],
    ["racy counter (3)", racyCounter(3), 90, 84, 84],
    ["bio split (2,2,2)", bioSplit(2, 2, 2), 44, 2, 39],
  ];

  it.each(rows)("%s", async (_name, build, schedules, failing, states) => {
    const all = await countAll(build);
    expect(all).toMatchObject({ isComplete: true, runs: schedules, schedules });
    expect(all.failingRuns).toBe(failing);
    const merged = await countStates(build);
    expect(merged).toMatchObject({ isComplete: true, states, verdict: all.verdict });
  });

  it(
    "philosophers(4): 98 184 schedules, of which 24 deadlock, in 391 states",
    { timeout: 60_000 },
    async () => {
      expect(await countAll(philosophers(4))).toMatchObject({ runs: 98_184, failingRuns: 24 });
      expect(await countStates(philosophers(4))).toMatchObject({ states: 391 });
    },
  );

  it("merging states brings the search of bioSplit(4,2,4) from 4e10 schedules to 3255 states", async () => {
    const merged = await countStates(bioSplit(4, 2, 4));
    expect(merged).toMatchObject({ isComplete: true, states: 3255, verdict: "found" });
  });
});
