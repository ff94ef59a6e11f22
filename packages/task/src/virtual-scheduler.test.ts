import { describe, expect, it } from "vitest";
import { AccessMode, type InterruptSource, WakeReason } from "./scheduler.ts";
import { SleepInAtomicError, type Task } from "./task.ts";
import { VirtualScheduler } from "./virtual-scheduler.ts";

const DOOR = { label: "door", blockers: (): readonly object[] => [] };
const OPEN_DOOR = { object: DOOR, mode: AccessMode.Write, label: "open door" };

describe("without a seed", () => {
  it("tasks run in the order in which they were started and woken", async () => {
    const scheduler = new VirtualScheduler();
    const story: string[] = [];
    const [a, b] = ["a", "b"].map((name) =>
      scheduler.spawn(name, async (task) => {
        story.push(`${name} sleeps`);
        await scheduler.sleep(task, DOOR);
        story.push(`${name} woke`);
      }),
    ) as [Task, Task];
    expect(story).toEqual([]);
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([a, b]);
    expect(a.waitingFor).toBe(DOOR);
    scheduler.wake(b);
    scheduler.wake(a);
    scheduler.wake(a);
    expect(a.waitingFor).toBeNull();
    await scheduler.run();
    expect(story).toEqual(["a sleeps", "b sleeps", "b woke", "a woke"]);
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("nobody is preempted", async () => {
    const scheduler = new VirtualScheduler();
    let preemption: Promise<void> | undefined = Promise.resolve();
    scheduler.spawn("a", (task) => {
      preemption = scheduler.mayPreempt(task, OPEN_DOOR);
    });
    await scheduler.run();
    expect(preemption).toBeUndefined();
  });
});

describe("virtual time", () => {
  it("timers fire in order of their due times, and tasks run in between", async () => {
    const scheduler = new VirtualScheduler();
    const story: string[] = [];
    const note = (what: string): void =>
      void story.push(`${String(scheduler.clock.nowMs())} ${what}`);
    scheduler.spawn("sleeper", async (task) => {
      const reason = await scheduler.sleep(task, DOOR, 20);
      note(reason === WakeReason.TimedOut ? "timed out" : "woken");
    });
    await scheduler.run();
    for (const delayMs of [30, 10, 20]) {
      const label = `timer ${String(delayMs)}`;
      scheduler.startTimer(
        {
          ...DOOR,
          label,
          isRetry: false,
          fire: () => {
            note(label);
          },
        },
        delayMs,
      );
    }
    await scheduler.advance(25);
    expect(story).toEqual(["1010 timer 10", "1020 timed out", "1020 timer 20"]);
    expect(scheduler.clock.nowMs()).toBe(1025);
    await scheduler.advance(5);
    expect(story.at(-1)).toBe("1030 timer 30");
  });

  it("a wake-up before the timeout cancels it, and a cancelled timer stays silent", async () => {
    const scheduler = new VirtualScheduler({ startMs: 5 });
    const reasons: WakeReason[] = [];
    const task = scheduler.spawn("sleeper", async (self) => {
      reasons.push(await scheduler.sleep(self, DOOR, 20));
      await scheduler.sleep(self, DOOR);
    });
    await scheduler.advance(10);
    scheduler.wake(task);
    await scheduler.advance(100);
    expect(reasons).toEqual([WakeReason.Woken]);
    expect(scheduler.clock.nowMs()).toBe(115);
    expect(scheduler.sleepers()).toEqual([task]);
  });
});

describe("with a seed", () => {
  async function storyOf(seed: number): Promise<string> {
    const scheduler = new VirtualScheduler({ seed });
    let story = "";
    for (const name of ["a", "b", "c"]) {
      scheduler.spawn(name, async (task) => {
        for (let turn = 0; turn < 2; turn += 1) {
          await scheduler.mayPreempt(task, OPEN_DOOR);
          story += name;
        }
      });
    }
    await scheduler.run();
    return story;
  }

  it("the same seed tells the same story, and a hundred seeds tell many", async () => {
    expect(await storyOf(7)).toBe(await storyOf(7));
    const stories = new Set<string>();
    for (let seed = 0; seed < 300; seed += 1) stories.add(await storyOf(seed));
    expect(stories.size).toBeGreaterThan(60);
    expect(stories.size).toBeLessThanOrEqual(90);
  });
});

describe("interrupts", () => {
  it("inline, the handler runs inside raise and must not sleep", async () => {
    const scheduler = new VirtualScheduler();
    const seen: boolean[] = [];
    const disk: InterruptSource<string> = {
      ...DOOR,
      handleInterrupt: () => void seen.push(scheduler.inInterrupt),
    };
    await scheduler.perform("submitter", (task) => {
      scheduler.raise(disk, "done");
      expect(seen).toEqual([true]);
      const sleepy: InterruptSource<string> = {
        ...DOOR,
        handleInterrupt: () => void scheduler.sleep(task, DOOR),
      };
      expect(() => {
        scheduler.raise(sleepy, "done");
      }).toThrow(SleepInAtomicError);
    });
    expect(scheduler.inInterrupt).toBe(false);
  });

  it("queued, they wait for the test to complete them in its order, or for run", async () => {
    const scheduler = new VirtualScheduler({ interrupts: "queued" });
    const done: number[] = [];
    const disk: InterruptSource<number> = { ...DOOR, handleInterrupt: (n) => void done.push(n) };
    scheduler.spawn("submitter", () => {
      for (const n of [1, 2, 3]) scheduler.raise(disk, n);
    });
    await scheduler.runTasks();
    expect(scheduler.pendingInterrupts.map(({ work }) => work)).toEqual([1, 2, 3]);
    scheduler.completeInterrupt(1);
    expect(done).toEqual([2]);
    await scheduler.run();
    expect(done).toEqual([2, 1, 3]);
  });
});

describe("defects", () => {
  it("what a task or a timer throws comes out of run and advance", async () => {
    const scheduler = new VirtualScheduler();
    scheduler.spawn("sync", () => {
      throw new Error("at once");
    });
    scheduler.spawn("async", async (task) => {
      await scheduler.sleep(task, DOOR, 10);
      throw new Error("later");
    });
    await expect(scheduler.run()).rejects.toThrow("at once");
    await expect(scheduler.advance(10)).rejects.toThrow("later");
    scheduler.startTimer(
      {
        ...DOOR,
        isRetry: false,
        fire: () => {
          throw new Error("in a timer");
        },
      },
      1,
    );
    await expect(scheduler.advance(1)).rejects.toThrow("in a timer");
    await scheduler.run();
  });

  it("a task that sleeps out of turn, or twice at once, is told so", async () => {
    const scheduler = new VirtualScheduler();
    const task = scheduler.spawn(
      "a",
      (self) => void scheduler.sleep(self, DOOR).then(() => undefined),
    );
    await expect(scheduler.run()).rejects.toThrow("a waits although it was not its turn");
    expect(() => scheduler.sleep(task, DOOR)).toThrow("sleeps twice");
  });

  it("perform names what its task still waits for", async () => {
    const scheduler = new VirtualScheduler();
    const stuck = scheduler.perform("a", (task) => scheduler.sleep(task, DOOR));
    await expect(stuck).rejects.toThrow("a still waits for door");
  });

  it("a sleep hook runs once per sleep and may wake, but not sleep", async () => {
    const scheduler = new VirtualScheduler();
    let hooked = 0;
    await scheduler.perform("a", async (task) => {
      task.sleepHook = () => {
        hooked += 1;
        scheduler.wake(task);
      };
      await scheduler.sleep(task, DOOR);
    });
    expect(hooked).toBe(1);
    scheduler.spawn("b", async (task) => {
      task.sleepHook = () => void scheduler.sleep(task, DOOR);
      await scheduler.sleep(task, DOOR);
    });
    await expect(scheduler.run()).rejects.toThrow(SleepInAtomicError);
    expect(scheduler.sleepers()).toEqual([]);
  });
});
