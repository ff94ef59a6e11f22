import { describe, expect, it } from "vitest";
import { EventLoopScheduler } from "./node.ts";
import { AccessMode, type InterruptSource, type Scheduler, WakeReason } from "./scheduler.ts";
import { SleepInAtomicError } from "./task.ts";
import { WorkItem } from "./work-item.ts";
import { WorkQueue } from "./work-queue.ts";

const DOOR = { label: "door", blockers: (): readonly object[] => [] };

describe("EventLoopScheduler", () => {
  it("a task begins after the call that started it, and sleeps until it is woken", async () => {
    const scheduler = new EventLoopScheduler();
    const story: string[] = [];
    const task = scheduler.spawn("a", async (self) => {
      story.push("begins");
      const reason = await scheduler.sleep(self, DOOR, 60_000);
      story.push(reason === WakeReason.Woken ? "woken" : "timed out");
    });
    expect(story).toEqual([]);
    await scheduler.idle();
    expect(scheduler.sleepers()).toEqual([task]);
    expect(task.waitingFor).toBe(DOOR);
    scheduler.wake(task);
    expect(story).toEqual(["begins"]);
    await scheduler.idle();
    expect(story).toEqual(["begins", "woken"]);
    await scheduler.idle();
  });

  it("a sleep ends by its timeout when nobody wakes the task", async () => {
    const scheduler = new EventLoopScheduler();
    const startMs = scheduler.clock.nowMs();
    const reason = await new Promise<WakeReason>((resolve) => {
      scheduler.spawn("a", async (task) => {
        resolve(await scheduler.sleep(task, DOOR, 2));
      });
    });
    expect(reason).toBe(WakeReason.TimedOut);
    expect(scheduler.clock.nowMs()).toBeGreaterThan(startMs);
  });

  it("a cancelled timer never fires, and a delay beyond what Node.js can hold does not fire at once", async () => {
    const scheduler = new EventLoopScheduler();
    const fired: string[] = [];
    const timer = (label: string): Parameters<Scheduler["startTimer"]>[0] => ({
      ...DOOR,
      isRetry: false,
      fire: () => void fired.push(label),
    });
    scheduler.startTimer(timer("cancelled"), 0).cancel();
    const month = scheduler.startTimer(timer("in a month"), 0xffff_ffff);
    await new Promise<void>((resolve) => {
      scheduler.startTimer({ ...timer("last"), fire: resolve }, 3);
    });
    month.cancel();
    expect(fired).toEqual([]);
  });

  it("an interrupt is handled at once, and nested ones end outermost last", () => {
    const scheduler = new EventLoopScheduler();
    const seen: [string, boolean][] = [];
    const inner: InterruptSource<string> = {
      ...DOOR,
      handleInterrupt: (work) => void seen.push([work, scheduler.inInterrupt]),
    };
    const outer: InterruptSource<string> = {
      ...DOOR,
      handleInterrupt: (work) => {
        scheduler.raise(inner, "inner");
        seen.push([work, scheduler.inInterrupt]);
      },
    };
    scheduler.raise(outer, "outer");
    seen.push(["after", scheduler.inInterrupt]);
    expect(seen).toEqual([
      ["inner", true],
      ["outer", true],
      ["after", false],
    ]);
  });

  it("offers no choice: nobody is preempted, and the good outcome happens", async () => {
    const scheduler = new EventLoopScheduler();
    const access = { object: DOOR, mode: AccessMode.Write, label: "open door" };
    scheduler.spawn("a", (task) => {
      expect(scheduler.mayPreempt(task, access)).toBeUndefined();
    });
    await scheduler.idle();
    expect(scheduler.choose("which door", 3)).toBe(0);
    expect(scheduler.random.below(1)).toBe(0);
  });

  it("what a task throws goes to onError, and the other tasks go on", async () => {
    const errors: unknown[] = [];
    const scheduler = new EventLoopScheduler({ onError: (error) => void errors.push(error) });
    let isAlive = false;
    scheduler.spawn("sleeps in an interrupt", (task) => {
      const disk = { ...DOOR, handleInterrupt: () => void scheduler.sleep(task, DOOR) };
      scheduler.raise(disk, undefined);
    });
    scheduler.spawn("lives", () => {
      isAlive = true;
    });
    await scheduler.idle();
    expect(errors).toEqual([expect.any(SleepInAtomicError)]);
    expect(isAlive).toBe(true);
  });

  it("warnings go to onWarning", () => {
    const warnings: string[] = [];
    const scheduler = new EventLoopScheduler({ onWarning: (text) => void warnings.push(text) });
    scheduler.warn("over-advance");
    expect(warnings).toEqual(["over-advance"]);
  });

  it("runs work queues: delayed and undelayed items, and a flush in between", async () => {
    const scheduler = new EventLoopScheduler();
    const queue = new WorkQueue({ scheduler, name: "q", reclaimGuaranteed: true });
    const story: string[] = [];
    const slow = new WorkItem("slow", async (task) => {
      await scheduler.sleep(task, DOOR, 1);
      story.push("slow");
    });
    const later = new WorkItem("later", () => void story.push("later"));
    await new Promise<void>((resolve) => {
      scheduler.spawn("a", async (task) => {
        queue.queue(slow);
        queue.queueDelayed(later, 5);
        expect(await queue.flush(slow, task)).toBe(true);
        expect(await queue.flush(later, task)).toBe(true);
        await queue.destroy(task);
        resolve();
      });
    });
    expect(story).toEqual(["slow", "later"]);
  });
});
