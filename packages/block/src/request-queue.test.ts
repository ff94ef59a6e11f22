import { InvariantError } from "@blkstack/bio";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { BlockError, defaultLimits, EnterResult, RequestQueue } from "./index.ts";

let scheduler: VirtualScheduler;
let queue: RequestQueue;
let story: string[];

beforeEach(() => {
  scheduler = new VirtualScheduler();
  queue = new RequestQueue("sda", defaultLimits());
  story = [];
});

const RESULTS = ["entered", "busy", "dying"] as const;

/** A task that enters, says what came of it, and stays inside. */
function spawnEntering(name: string, noWait = false): Task {
  return scheduler.spawn(name, async (task) => {
    story.push(`${name} ${RESULTS[await queue.enter(task, noWait)]}`);
  });
}

function spawnFreezing(name: string, by?: object): Task {
  return scheduler.spawn(name, async (task) => {
    await queue.freeze(task, by);
    story.push(`${name} froze it`);
  });
}

describe("the gate of a queue", () => {
  it("lets a task in at once, without a promise", async () => {
    await scheduler.perform("t", (task) => {
      expect(queue.enter(task, false)).toBe(EnterResult.Entered);
      expect(queue.users).toBe(1);
      queue.exit(task);
      expect(queue.users).toBe(0);
    });
  });

  it("keeps tasks waiting while it is frozen, and lets them in when it is thawed (T5.6)", async () => {
    spawnFreezing("freezer");
    spawnEntering("reader");
    spawnEntering("writer");
    await scheduler.run();
    expect(story).toEqual(["freezer froze it"]);
    expect(queue.isFrozen).toBe(true);

    queue.unfreeze();
    await scheduler.run();
    expect(story).toEqual(["freezer froze it", "reader entered", "writer entered"]);
    expect(queue.users).toBe(2);
  });

  it("is busy for whoever must not wait while it is frozen (T5.6)", async () => {
    spawnFreezing("freezer");
    spawnEntering("hasty", true);
    await scheduler.run();
    expect(story).toEqual(["freezer froze it", "hasty busy"]);
    expect(queue.users).toBe(0);
  });

  it("refuses everybody once the device is dying, and releases the sleepers (T5.6)", async () => {
    spawnFreezing("freezer");
    spawnEntering("sleeper");
    await scheduler.run();
    await scheduler.perform("remover", (task) => queue.markDying(task));
    spawnEntering("late");
    spawnEntering("hasty", true);
    await scheduler.run();
    expect(story).toEqual(["freezer froze it", "sleeper dying", "late dying", "hasty dying"]);
    expect(queue.isDying).toBe(true);
  });

  it("stays shut for a dying device whoever thaws", async () => {
    spawnFreezing("freezer");
    await scheduler.run();
    await scheduler.perform("remover", (task) => queue.markDying(task));
    queue.unfreeze();
    expect(queue.isFrozen).toBe(true);
    expect(() => {
      queue.unfreeze();
    }).toThrow(InvariantError);
    spawnEntering("late");
    await scheduler.run();
    expect(story.at(-1)).toBe("late dying");
  });

  it("may be marked dying twice; the second time only waits", async () => {
    spawnEntering("inside");
    await scheduler.run();
    for (const name of ["remover", "other remover"]) {
      scheduler.spawn(name, async (task) => {
        await queue.markDying(task);
        story.push(`${name} done`);
      });
    }
    await scheduler.run();
    expect(story).toEqual(["inside entered"]);
    queue.exit();
    await scheduler.run();
    expect(story).toEqual(["inside entered", "remover done", "other remover done"]);
  });
});

describe("freezing", () => {
  it("waits until those inside have left, and keeps others out meanwhile", async () => {
    const inside = spawnEntering("inside");
    await scheduler.run();
    spawnFreezing("freezer");
    spawnEntering("late");
    await scheduler.run();
    expect(story).toEqual(["inside entered"]);

    queue.exit(inside);
    await scheduler.run();
    expect(story).toEqual(["inside entered", "freezer froze it"]);
  });

  it("goes on waiting when its task is woken for no reason", async () => {
    const inside = spawnEntering("inside");
    await scheduler.run();
    const freezer = spawnFreezing("freezer");
    await scheduler.run();
    scheduler.wake(freezer);
    await scheduler.run();
    expect(story).toEqual(["inside entered"]);
    queue.exit(inside);
    await scheduler.run();
    expect(story.at(-1)).toBe("freezer froze it");
  });

  it("nests: the queue opens when the last one has thawed it", async () => {
    spawnFreezing("first");
    spawnFreezing("second");
    spawnEntering("reader");
    await scheduler.run();
    queue.unfreeze();
    await scheduler.run();
    expect(story).toEqual(["first froze it", "second froze it"]);
    queue.unfreeze();
    await scheduler.run();
    expect(story.at(-1)).toBe("reader entered");
  });

  it("lets a sleeper go on sleeping when the queue is frozen again before it ran", async () => {
    spawnFreezing("freezer");
    spawnEntering("reader");
    await scheduler.run();
    spawnFreezing("quicker freezer");
    // Wakes the reader, which runs after the freezer that was there before it.
    queue.unfreeze();
    await scheduler.run();
    expect(story).toEqual(["freezer froze it", "quicker freezer froze it"]);
    queue.unfreeze();
    await scheduler.run();
    expect(story.at(-1)).toBe("reader entered");
  });

  it("is undone at most once", () => {
    expect(() => {
      queue.unfreeze();
    }).toThrow("queue of sda is thawed more often than frozen");
  });

  it("is safe under any order of tasks: never is anybody inside a frozen queue", async () => {
    for (let seed = 0; seed < 100; seed += 1) {
      scheduler = new VirtualScheduler({ seed });
      queue = new RequestQueue("sda", defaultLimits());
      let finished = 0;
      for (const name of ["a", "b", "c"]) {
        scheduler.spawn(name, async (task) => {
          expect(await queue.enter(task, false)).toBe(EnterResult.Entered);
          await scheduler.mayPreempt(task, PAUSE);
          queue.exit(task);
          finished += 1;
        });
      }
      scheduler.spawn("freezer", async (task) => {
        await queue.freeze(task);
        expect(queue.users).toBe(0);
        await scheduler.mayPreempt(task, PAUSE);
        expect(queue.users).toBe(0);
        queue.unfreeze();
        finished += 1;
      });
      await scheduler.run();
      expect({ seed, finished, users: queue.users }).toEqual({ seed, finished: 4, users: 0 });
    }
  });

  const PAUSE = { object: { label: "pause" }, mode: 0, label: "pause" } as const;
});

describe("what a queue tells a report", () => {
  it("names who froze it to whoever wants to enter, and who is inside to whoever freezes", async () => {
    const inside = spawnEntering("inside");
    const other = spawnEntering("other");
    await scheduler.run();
    const freezer = spawnFreezing("freezer");
    const late = spawnEntering("late");
    await scheduler.run();

    expect(late.waitingFor).toBe(queue);
    expect(queue.label).toBe("queue of sda");
    expect(queue.blockers()).toEqual([freezer]);
    expect(freezer.waitingFor?.label).toBe("queue of sda to drain");
    expect(freezer.waitingFor?.blockers()).toEqual([inside, other]);
    queue.exit(inside);
    expect(freezer.waitingFor?.blockers()).toEqual([other]);
  });

  it("names whom the freezer names, and only as long as the freeze lasts", async () => {
    const suspend = { label: "suspend of md0" };
    spawnFreezing("worker", suspend);
    const other = spawnFreezing("other");
    await scheduler.run();
    expect(queue.blockers()).toEqual([suspend, other]);
    queue.unfreeze(suspend);
    expect(queue.blockers()).toEqual([other]);
    queue.unfreeze();
    expect(queue.blockers()).toEqual([]);
  });
});

describe("the rules of a queue", () => {
  it("refuses limits that no device can have, at first and later", () => {
    const wrong = { ...defaultLimits(), maxSegments: 0 };
    expect(() => new RequestQueue("sdb", wrong)).toThrow(BlockError);
    expect(() => {
      queue.limits = wrong;
    }).toThrow("limits of sda: maxSegments 0 is less than 1");
    queue.limits = { ...defaultLimits(), maxSegments: 1 };
    expect(queue.limits.maxSegments).toBe(1);
  });

  it("does not let a task leave that did not enter", () => {
    expect(() => {
      queue.exit();
    }).toThrow("queue of sda is left more often than entered");
  });
});
