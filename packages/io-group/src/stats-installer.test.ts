import { allFail, type FaultPlan, GFP_NOWAIT } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { expect, it } from "vitest";
import { aRead, setting } from "../test/setting.ts";
import type { IoGroup } from "./io-group.ts";
import { StatFamily, StatKind } from "./stat-words.ts";
import { correctAsync, syncInPath } from "./stats-installer.ts";

const readsOf = (group: IoGroup): number | null =>
  group.stats?.get(StatFamily.Ios, StatKind.Read) ?? null;

/** The first `count` attempts fail. */
const failsAtFirst = (count: number): FaultPlan => ({
  fails: (_site, _gfp, attempt) => attempt <= count,
});

it("does not make the requester wait: of 3 bios before the worker has run and 4 after, 4 are counted", async () => {
  const { scheduler, installer, group } = setting();
  const one = group("g");
  await scheduler.perform("submitter", (task) => {
    expect(installer.request(one, task)).toBeUndefined();
    for (let n = 0; n < 3; n += 1) one.countIo(aRead(), task.cpu);
    expect(one.stats).toBeNull();
  });
  await scheduler.runTasks();
  for (let n = 0; n < 4; n += 1) one.countIo(aRead(), 0);
  expect(readsOf(one)).toBe(4);
});

it("asks again after 10 ms when there was no memory: 50 failures take 500 ms, the 51st attempt installs", async () => {
  const { scheduler, memory, installer, group } = setting(correctAsync, {
    faultPlan: failsAtFirst(50),
  });
  const one = group("g");
  await scheduler.perform("t", (task) => installer.request(one, task));
  await scheduler.advance(499);
  expect([one.stats, memory.counters.failures]).toEqual([null, 50]);
  await scheduler.advance(1);
  expect(readsOf(one)).toBe(0);
});

it("asks no earlier because one group more wants some", async () => {
  const { scheduler, memory, installer, group } = setting(correctAsync, { faultPlan: allFail });
  await scheduler.perform("t", (task) => installer.request(group("g"), task));
  await scheduler.perform("t", (task) => installer.request(group("h"), task));
  await scheduler.advance(9);
  expect(memory.counters.failures).toBe(1);
});

it("stops asking for a group that has gone, which nobody kept alive", async () => {
  const { scheduler, memory, installer, group } = setting(correctAsync, { faultPlan: allFail });
  const one = group("g");
  await scheduler.perform("t", (task) => installer.request(one, task));
  await scheduler.advance(100);
  const { failures } = memory.counters;
  expect(failures).toBe(11);
  installer.cancel(one);
  one.unlink();
  expect(one.isFreed).toBe(true);
  await scheduler.advance(1000);
  expect(memory.counters.failures).toBe(failures);
});

it("keeps what came too late for one group for the next one", async () => {
  const pages = { totalPages: 1, minPages: 0 };
  const { scheduler, memory, statsMemory, installer, group } = setting(correctAsync, { pages });
  const [gone, next] = [group("gone"), group("next")];
  expect(memory.tryTakePages(1, GFP_NOWAIT, "all")).toBe(true);
  await scheduler.perform("t", (task) => installer.request(gone, task));
  await scheduler.runTasks();
  installer.cancel(gone);
  gone.unlink();
  memory.givePages(1);
  await scheduler.runTasks();
  expect([gone.isFreed, statsMemory.liveCount]).toEqual([true, 1]);
  await scheduler.perform("t", (task) => installer.request(next, task));
  await scheduler.runTasks();
  expect([readsOf(next), statsMemory.liveCount]).toEqual([0, 1]);
});

it("installs once, however often it is asked", async () => {
  const { scheduler, statsMemory, installer, group } = setting();
  const one = group("g");
  const ask = (task: Task): unknown => installer.request(one, task);
  await scheduler.perform("t", (task) => void ask(task));
  one.countIo(aRead(), 0);
  await scheduler.perform("t", (task) => void ask(task));
  await scheduler.runTasks();
  expect(readsOf(one)).toBe(1);
  await scheduler.perform("t", (task) => installer.stop(task));
  expect(statsMemory.liveCount).toBe(1);
});

it("that is stopped asks no more, gives back what it kept, and refuses new groups", async () => {
  const { scheduler, memory, statsMemory, installer, group } = setting(correctAsync, {
    faultPlan: allFail,
  });
  const one = group("g");
  await scheduler.perform("t", (task) => installer.request(one, task));
  await scheduler.perform("t", (task) => installer.stop(task));
  await scheduler.advance(1000);
  expect([memory.counters.failures, statsMemory.liveCount]).toEqual([1, 0]);
  await scheduler.perform("t", (task) => {
    expect(() => installer.request(one, task)).toThrow('statistics for group "g" after the end');
  });
});

it("in the path has statistics from the first bio on, or stays without", async () => {
  const { scheduler, memory, statsMemory, installer, group } = setting(syncInPath);
  const [one, two] = [group("g"), group("h")];
  await scheduler.perform("t", async (task) => {
    await installer.request(one, task);
    one.countIo(aRead(), 0);
    await installer.request(one, task);
    memory.faultPlan = allFail;
    await installer.request(two, task);
  });
  expect([readsOf(one), readsOf(two), statsMemory.liveCount]).toEqual([1, null, 1]);
});
