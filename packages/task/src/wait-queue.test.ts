import { describe, expect, it, vi } from "vitest";
import { AccessMode, type TimerSource, WakeReason } from "./scheduler.ts";
import { SleepInAtomicError } from "./task.ts";
import { VirtualScheduler } from "./virtual.ts";
import { WaitQueue } from "./wait-queue.ts";

describe("WaitQueue", () => {
  it("wakeOne wakes all that share and the exclusive sleeper that came first", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WaitQueue("supper");
    const woken: string[] = [];
    const sleepers: [string, "sleep" | "sleepExclusive"][] = [
      ["x1", "sleepExclusive"],
      ["s1", "sleep"],
      ["x2", "sleepExclusive"],
      ["s2", "sleep"],
    ];
    for (const [name, how] of sleepers) {
      scheduler.spawn(name, async (task) => {
        expect(await queue[how](task)).toBe(WakeReason.Woken);
        woken.push(name);
      });
    }
    await scheduler.run();
    queue.wakeOne();
    await scheduler.run();
    expect(woken).toEqual(["s2", "s1", "x1"]);
    expect(queue.isEmpty).toBe(false);
    queue.wakeAll();
    await scheduler.run();
    expect(woken.at(-1)).toBe("x2");
    expect(queue.isEmpty).toBe(true);
    queue.wakeOne();
  });

  it("a timed-out sleeper leaves the queue and takes no wake-up from others", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WaitQueue("supper");
    const story: string[] = [];
    scheduler.spawn("impatient", async (task) => {
      const reason = await queue.sleepExclusive(task, 5);
      story.push(`impatient ${String(reason)}`);
    });
    scheduler.spawn("patient", async (task) => {
      await queue.sleepExclusive(task);
      story.push("patient");
    });
    await scheduler.advance(5);
    queue.wakeOne();
    await scheduler.run();
    expect(story).toEqual([`impatient ${String(WakeReason.TimedOut)}`, "patient"]);
  });

  it("a wake-up that meets a sleeper whose time is just up counts as one", async () => {
    const scheduler = new VirtualScheduler();
    const timeouts: TimerSource[] = [];
    vi.spyOn(scheduler, "startTimer").mockImplementation((timer) => {
      timeouts.push(timer);
      return { cancel: () => undefined };
    });
    const queue = new WaitQueue("supper");
    const sleep = (): Promise<WakeReason> =>
      scheduler.perform("a", async (task) => {
        scheduler.spawn("clock", () => {
          timeouts.pop()?.fire();
          if (isServed) queue.wakeOne();
        });
        return queue.sleepExclusive(task, 5);
      });
    let isServed = true;
    expect(await sleep()).toBe(WakeReason.Woken);
    isServed = false;
    expect(await sleep()).toBe(WakeReason.TimedOut);
    expect(queue.isEmpty).toBe(true);
  });

  it("waitUntil sleeps only while the condition does not hold", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WaitQueue("supper");
    let dishes = 0;
    await scheduler.perform("sated", (task) => {
      expect(queue.waitUntil(task, () => true)).toBeUndefined();
    });
    const eater = scheduler.spawn("eater", (task) => queue.waitUntil(task, () => dishes === 2));
    await scheduler.run();
    for (dishes = 1; dishes < 2; dishes += 1) {
      queue.wakeAll();
      await scheduler.run();
      expect(scheduler.sleepers()).toEqual([eater]);
    }
    queue.wakeAll();
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("no wake-up is lost between the test and the sleep, and one is when a preemption lies between", async () => {
    const countStranded = async (mayPreemptBetween: boolean): Promise<number> => {
      let stranded = 0;
      for (let seed = 0; seed < 200; seed += 1) {
        const scheduler = new VirtualScheduler({ seed });
        const queue = new WaitQueue("supper");
        const dish = { object: queue, mode: AccessMode.Write, label: "dish" };
        let isServed = false;
        scheduler.spawn("eater", async (task) => {
          await scheduler.mayPreempt(task, dish);
          while (!isServed) {
            if (mayPreemptBetween) await scheduler.mayPreempt(task, dish);
            await queue.sleep(task);
          }
        });
        scheduler.spawn("cook", async (task) => {
          await scheduler.mayPreempt(task, dish);
          isServed = true;
          queue.wakeOne();
        });
        await scheduler.run();
        stranded += scheduler.sleepers().length;
      }
      return stranded;
    };
    expect(await countStranded(false)).toBe(0);
    expect(await countStranded(true)).toBeGreaterThan(0);
  });

  it("says who could wake, and forbids sleep in atomic sections without leaving a trace", async () => {
    const scheduler = new VirtualScheduler();
    const cook = { label: "cook" };
    const queue = new WaitQueue("supper", { blockers: () => [cook] });
    expect(queue.blockers()).toEqual([cook]);
    await scheduler.perform("a", (task) => {
      task.atomicDepth = 1;
      expect(() => queue.sleep(task)).toThrow(SleepInAtomicError);
      expect(() => queue.sleepExclusive(task)).toThrow(SleepInAtomicError);
      task.atomicDepth = 0;
    });
    expect(queue.isEmpty).toBe(true);
  });
});
