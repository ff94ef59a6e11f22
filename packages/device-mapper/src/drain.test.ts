import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it, vi } from "vitest";
import { TouchLog } from "../test/touch-log.ts";
import { Drain } from "./drain.ts";
import { Interruption } from "./interruption.ts";

const one = { name: "one" };
const other = { name: "other" };
const elsewhere = { label: "something else", blockers: () => [] };

describe("whoever is inside", () => {
  it("is in the way of those who wait, until it leaves", () => {
    const drain = new Drain("bios", new VirtualScheduler());
    expect(drain.blockers()).toEqual([]);
    drain.enter(one);
    drain.enter(other);
    expect([drain.count, drain.blockers()]).toEqual([2, [one, other]]);
    drain.leave(one);
    expect([drain.count, drain.blockers()]).toEqual([1, [other]]);
  });

  it("is only counted where nobody explores: that costs nothing for each bio", () => {
    const scheduler = new TouchLog({ isExploring: false });
    const drain = new Drain("bios", scheduler);
    drain.enter(one);
    expect([drain.count, drain.blockers()]).toEqual([1, []]);
    drain.leave(one);
    expect([drain.count, scheduler.take()]).toEqual([0, []]);
  });

  it("is told of when it comes, when it leaves, and when somebody looks", async () => {
    const scheduler = new TouchLog();
    const drain = new Drain("bios", scheduler);
    drain.enter(one);
    expect(scheduler.take()).toEqual(["Release bios: count bios"]);
    scheduler.spawn("waiter", (task) => drain.wait(task));
    await scheduler.run();
    expect(scheduler.take()).toEqual(["Acquire bios: wait for bios"]);
    drain.leave(one);
    expect(scheduler.take()).toEqual(["Release bios: count bios"]);
    await scheduler.run();
    expect(scheduler.take()).toEqual(["Acquire bios: wait for bios"]);
  });
});

describe("a task that waits", () => {
  it("for nobody goes on at once", async () => {
    const scheduler = new VirtualScheduler();
    const drain = new Drain("bios", scheduler);
    const waits = await scheduler.perform("waiter", (task) => ({ wait: drain.wait(task) }));
    expect(waits).toEqual({ wait: undefined });
  });

  it("sleeps until the last one has left, and is not woken for those before", async () => {
    const scheduler = new VirtualScheduler();
    const drain = new Drain("bios", scheduler);
    drain.enter(one);
    drain.enter(other);
    const waiters = ["first", "second"].map((name) =>
      scheduler.spawn(name, (task) => drain.wait(task)),
    );
    await scheduler.run();
    expect(waiters.map(({ waitingFor }) => waitingFor)).toEqual([drain, drain]);
    const wake = vi.spyOn(scheduler, "wake");
    drain.leave(one);
    expect(wake).not.toHaveBeenCalled();
    drain.leave(other);
    expect(wake.mock.calls).toEqual(waiters.map((task) => [task]));
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("sleeps again if somebody came before it could run", async () => {
    const scheduler = new VirtualScheduler();
    const drain = new Drain("bios", scheduler);
    drain.enter(one);
    scheduler.spawn("waiter", (task) => drain.wait(task));
    await scheduler.run();
    drain.leave(one);
    drain.enter(other);
    await scheduler.run();
    expect(scheduler.sleepers()).toHaveLength(1);
    drain.leave(other);
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([]);
  });
});

describe("a wait that may be called off", () => {
  /** A task that waits, and then for something else. */
  function waiterOf(drain: Drain, interruption: Interruption, scheduler: VirtualScheduler): Task {
    return scheduler.spawn("waiter", async (task) => {
      await drain.wait(task, interruption);
      await scheduler.sleep(task, elsewhere);
    });
  }

  async function oneInsideAndOneWaiting() {
    const scheduler = new VirtualScheduler();
    const drain = new Drain("bios", scheduler);
    const interruption = new Interruption();
    drain.enter(one);
    const waiter = waiterOf(drain, interruption, scheduler);
    await scheduler.run();
    return { scheduler, drain, interruption, waiter };
  }

  it("ends when it is, and no later leaving wakes the task where it sleeps then", async () => {
    const { scheduler, drain, interruption, waiter } = await oneInsideAndOneWaiting();
    expect(waiter.waitingFor).toBe(drain);
    interruption.raise();
    await scheduler.run();
    expect(waiter.waitingFor).toBe(elsewhere);
    drain.leave(one);
    await scheduler.run();
    expect(waiter.waitingFor).toBe(elsewhere);
  });

  it("and ended by itself is not called off any more, wherever the task sleeps then", async () => {
    const { scheduler, drain, interruption, waiter } = await oneInsideAndOneWaiting();
    drain.leave(one);
    await scheduler.run();
    interruption.raise();
    await scheduler.run();
    expect([waiter.waitingFor, interruption.isRaised]).toEqual([elsewhere, true]);
  });

  it("is not begun if it was called off before", async () => {
    const scheduler = new VirtualScheduler();
    const drain = new Drain("bios", scheduler);
    const interruption = new Interruption();
    interruption.raise();
    drain.enter(one);
    const waiter = waiterOf(drain, interruption, scheduler);
    await scheduler.run();
    expect(waiter.waitingFor).toBe(elsewhere);
  });

  it("leaves others their place when it is called off after it was woken", async () => {
    const { scheduler, drain, interruption, waiter } = await oneInsideAndOneWaiting();
    // Runs before the one that is woken here, and waits for somebody who came later.
    const late = scheduler.spawn("late", (task) => drain.wait(task));
    drain.leave(one);
    drain.enter(other);
    interruption.raise();
    await scheduler.run();
    expect([waiter.waitingFor, late.waitingFor]).toEqual([elsewhere, drain]);
    drain.leave(other);
    await scheduler.run();
    expect(late.waitingFor).toBeNull();
  });
});
