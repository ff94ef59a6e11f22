import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { setting } from "../test/setting.ts";
import { Rcu } from "./rcu.ts";

it("runs at once what is deferred while nobody reads", () => {
  const { rcu } = setting();
  let ran = false;
  rcu.defer(() => (ran = true));
  expect([ran, rcu.pendingCount]).toEqual([true, 0]);
});

it("keeps what is deferred for those who read already, and not for those who come later", async () => {
  const { scheduler, rcu } = setting();
  const log: string[] = [];
  await scheduler.perform("t", (task) => {
    const early = rcu.readLock(task);
    rcu.defer(() => log.push("first freed"));
    const late = rcu.readLock(task);
    rcu.defer(() => log.push("second freed"));
    log.push("early reader done");
    rcu.readUnlock(early, task);
    log.push("late reader done");
    rcu.readUnlock(late, task);
  });
  expect(log).toEqual(["early reader done", "first freed", "late reader done", "second freed"]);
});

it("lets who waits for all that was deferred go on only then", async () => {
  const { scheduler, rcu } = setting();
  const log: string[] = [];
  scheduler.spawn("reader", async (task) => {
    const phase = rcu.readLock(task);
    rcu.defer(() => log.push("freed"));
    await scheduler.sleep(task, rcu, 5);
    rcu.readUnlock(phase, task);
  });
  scheduler.spawn("waiter", async (task) => {
    await rcu.barrier(task);
    log.push("all freed");
  });
  await scheduler.runTasks();
  expect(log).toEqual([]);
  await scheduler.advance(5);
  expect(log).toEqual(["freed", "all freed"]);
});

it("knows who reads, while exploring", async () => {
  const scheduler = new VirtualScheduler({ isExploring: true });
  const rcu = new Rcu(scheduler);
  await scheduler.perform("reader", (task) => {
    const phase = rcu.readLock(task);
    expect(rcu.blockers()).toEqual([task]);
    rcu.readUnlock(phase, task);
    expect(rcu.blockers()).toEqual([]);
    expect(() => {
      rcu.readUnlock(phase, task);
    }).toThrow("reader ends a read under grace period that it did not begin");
  });
});
