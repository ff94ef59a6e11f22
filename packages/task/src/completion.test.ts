import { describe, expect, it } from "vitest";
import { Completion } from "./completion.ts";
import { VirtualScheduler } from "./virtual.ts";

describe("Completion", () => {
  it("each complete lets one wait pass, be it there already or still to come", async () => {
    const scheduler = new VirtualScheduler();
    const done = new Completion("flush");
    done.complete();
    done.complete();
    const passed: string[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      scheduler.spawn(name, async (task) => {
        expect(await done.wait(task)).toBe(true);
        passed.push(name);
      });
    }
    await scheduler.run();
    expect(passed).toEqual(["a", "b"]);
    expect(done.isDone).toBe(false);
    done.complete();
    await scheduler.run();
    expect(passed).toEqual(["a", "b", "c"]);
    expect(scheduler.sleepers().map(({ waitingFor }) => waitingFor?.label)).toEqual([
      'completion "flush"',
    ]);
  });

  it("completeAll lets everybody pass until reset", async () => {
    const scheduler = new VirtualScheduler();
    const done = new Completion("flush");
    for (const name of ["a", "b"]) {
      scheduler.spawn(name, async (task) => {
        await done.wait(task);
      });
    }
    await scheduler.run();
    done.completeAll();
    await scheduler.run();
    await scheduler.perform("c", (task) => {
      expect(done.wait(task)).toBe(true);
      expect(done.wait(task)).toBe(true);
      done.reset();
      expect(done.isDone).toBe(false);
    });
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("a wait with a timeout answers false when its time is up, however often it was woken in vain", async () => {
    const scheduler = new VirtualScheduler();
    const done = new Completion("flush");
    const answers: boolean[] = [];
    const waiter = scheduler.spawn("a", async (task) => {
      answers.push(await done.wait(task, 10));
    });
    await scheduler.advance(6);
    scheduler.wake(waiter);
    await scheduler.advance(3);
    expect(answers).toEqual([]);
    await scheduler.advance(1);
    expect(answers).toEqual([false]);
  });

  it("what is completed while the time runs out is not lost", async () => {
    const scheduler = new VirtualScheduler();
    const done = new Completion("flush");
    const answers: boolean[] = [];
    const wait = async (task: Parameters<Completion["wait"]>[0]): Promise<void> => {
      answers.push(await done.wait(task, 10));
    };
    scheduler.spawn("a", wait);
    await scheduler.advance(9);
    scheduler.spawn("b", wait);
    await scheduler.advance(1);
    done.complete();
    await scheduler.advance(10);
    expect(answers).toEqual([false, true]);
  });

  it("counts in every schedule: five completes let exactly five of seven waits pass", async () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const done = new Completion("flush", { scheduler });
      let passed = 0;
      for (let n = 0; n < 7; n += 1) {
        scheduler.spawn(`waiter ${String(n)}`, async (task) => {
          await done.wait(task);
          passed += 1;
        });
      }
      for (let n = 0; n < 5; n += 1) {
        scheduler.spawn(`completer ${String(n)}`, () => {
          done.complete();
        });
      }
      await scheduler.run();
      expect([passed, scheduler.sleepers().length]).toEqual([5, 2]);
    }
  });
});
