import { GFP_NOWAIT } from "@blkstack/memory";
import { expect, it } from "vitest";
import { aRead, setting } from "../test/setting.ts";
import { GroupStats } from "./group-stats.ts";
import { IoGroup } from "./io-group.ts";
import { GROUP_STAT_WORDS, StatFamily, StatKind } from "./stat-words.ts";

it("lives as long as somebody has a reference, and its parent as long as it", () => {
  const { group } = setting();
  const parent = group("parent");
  const child = group("child", parent);
  child.get();
  expect([parent.unlink(), child.unlink()]).toEqual([true, true]);
  expect([parent.isFreed, child.isFreed]).toEqual([false, false]);
  child.put();
  expect([parent.isFreed, child.isFreed]).toEqual([true, true]);
});

it("is unlinked once, by whoever comes first", () => {
  const { group } = setting();
  const one = group("g");
  one.get();
  expect([one.unlink(), one.unlink(), one.references]).toEqual([true, false, 1]);
});

it("stays until those who looked at it are done, and cannot be taken any more", async () => {
  const { scheduler, rcu, group } = setting();
  const one = group("g");
  await scheduler.perform("reader", (task) => {
    const phase = rcu.readLock(task);
    one.unlink();
    expect([one.isFreed, one.tryGet(), one.stats]).toEqual([false, false, null]);
    rcu.readUnlock(phase, task);
  });
  expect(one.isFreed).toBe(true);
  expect(() => one.stats).toThrow('use after free: group "g"');
});

it("refuses to be put more often than got, and to end while it can be found", () => {
  const { group } = setting();
  expect(() => {
    group("g").put();
  }).toThrow("the last reference was put while it can be found");
  const gone = group("h");
  gone.unlink();
  expect(() => {
    gone.put();
  }).toThrow('use after free: group "h"');
});

it("counts nothing before there are statistics, reads 0, and has nothing to reset", () => {
  const { group } = setting();
  const one = group("g");
  one.countIo(aRead(), 0);
  one.countHeld(aRead(), 5, 0);
  one.resetStats();
  expect(one.stats).toBeNull();
});

it("takes the first statistics that come, leaves later ones to who brings them, and frees its own", () => {
  const { group, statsMemory } = setting();
  const one = group("g");
  const [mine, late] = [0, 1].map(() => {
    const block = statsMemory.tryAlloc(GROUP_STAT_WORDS, GFP_NOWAIT);
    if (block === null) throw new Error("no memory");
    return new GroupStats(block);
  });
  if (mine === undefined || late === undefined) throw new Error("no statistics");
  expect(one.installStats(mine)).toBeNull();
  expect(one.installStats(late)).toBe(mine);
  one.countIo(aRead(), 1);
  expect(one.stats?.get(StatFamily.Ios, StatKind.Read)).toBe(1);
  statsMemory.free(late.block);
  one.unlink();
  expect(statsMemory.liveCount).toBe(0);
  expect(() => mine.get(StatFamily.Ios, StatKind.Read)).toThrow("use after free");
});

it("that is part of its device lives until the device puts it too", () => {
  const { rcu, statsMemory } = setting();
  const root = new IoGroup({ name: "/", parent: null, rcu, statsMemory, isEmbedded: true });
  root.unlink();
  expect(root.isFreed).toBe(false);
  root.put();
  expect(root.isFreed).toBe(true);
});
