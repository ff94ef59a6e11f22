import { BioFlag, BioOp } from "@blkstack/bio";
import { GFP_NOWAIT } from "@blkstack/memory";
import { expect, it } from "vitest";
import { aRead, bioOf, setting } from "../test/setting.ts";
import { GroupStats } from "./group-stats.ts";
import type { IoGroup } from "./io-group.ts";
import { blkioLines, blkioTotal, ioStatLine } from "./stat-text.ts";
import {
  bucketOf,
  GROUP_STAT_WORDS,
  HISTOGRAM_BUCKETS,
  StatFamily,
  StatKind,
} from "./stat-words.ts";

function counting(): { group: IoGroup; stats: GroupStats } {
  const { group, statsMemory } = setting();
  const block = statsMemory.tryAlloc(GROUP_STAT_WORDS, GFP_NOWAIT);
  if (block === null) throw new Error("no memory");
  const stats = new GroupStats(block);
  const one = group("g");
  one.installStats(stats);
  return { group: one, stats };
}

/** A read, a write, a durable write, a flush and a discard, on two cpus. */
function countSome(group: IoGroup): void {
  group.countIo(aRead(), 0);
  group.countIo(bioOf(BioOp.Write, 8192), 1);
  group.countIo(bioOf(BioOp.Write, 512, BioFlag.Fua), 1);
  group.countIo(bioOf(BioOp.Flush, 0, BioFlag.Preflush), 0);
  group.countIo(bioOf(BioOp.Discard, 1048576), 0);
}

it("shows what was read, written and discarded, a flush as a write of nothing", () => {
  const { group } = counting();
  countSome(group);
  expect(ioStatLine("254:0", [group])).toBe(
    "254:0 rbytes=4096 wbytes=8704 rios=1 wios=3 dbytes=1048576 dios=1",
  );
});

it("shows in the older files who waits for it, and discards as writes", () => {
  const { group } = counting();
  countSome(group);
  expect(blkioLines("8:16", [group], StatFamily.Ios)).toEqual([
    "8:16 Read 1",
    "8:16 Write 4",
    "8:16 Sync 3",
    "8:16 Async 2",
    "8:16 Total 5",
  ]);
  expect(blkioTotal([group], StatFamily.Bytes)).toBe("Total 1061376");
});

it("shows with a group those below it, and 0 for one without statistics", () => {
  const [one, two] = [counting().group, counting().group];
  one.countIo(aRead(), 0);
  two.countIo(aRead(), 0);
  const none = setting().group("new");
  expect(ioStatLine("d", [one, two, none])).toContain("rbytes=8192 wbytes=0 rios=2");
  expect(ioStatLine("d", [none])).toBe("d rbytes=0 wbytes=0 rios=0 wios=0 dbytes=0 dios=0");
});

it("counts what was merged, and how long what was held back", () => {
  const { group, stats } = counting();
  stats.countMerged(aRead(), 0);
  for (const heldMs of [0, 1, 125, 125, 250]) group.countHeld(aRead(), heldMs, 1);
  expect(stats.get(StatFamily.Merged, StatKind.Sync)).toBe(1);
  expect(stats.get(StatFamily.HeldMs, StatKind.Read)).toBe(501);
  const buckets = stats.heldHistogram();
  expect([buckets[0], buckets[1], buckets[7], buckets[8]]).toEqual([1, 1, 2, 1]);
});

it("puts durations into buckets that double", () => {
  expect([0, 0.5, 1, 2, 3, 4, 127, 128, 1e12].map(bucketOf)).toEqual([
    0,
    0,
    1,
    2,
    2,
    3,
    7,
    8,
    HISTOGRAM_BUCKETS - 1,
  ]);
});

it("is reset on all cpus", () => {
  const { group, stats } = counting();
  countSome(group);
  group.resetStats();
  expect([
    stats.get(StatFamily.Bytes, StatKind.Write),
    stats.get(StatFamily.Ios, StatKind.Read),
  ]).toEqual([0, 0]);
});

it("refuses a cpu that is not there", () => {
  const { group } = counting();
  expect(() => {
    group.countIo(aRead(), 2);
  }).toThrow("statistics of cpu 2, which is not there");
});
