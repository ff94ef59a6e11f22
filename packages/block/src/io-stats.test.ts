import { Bio, bioEndio, bioError, BioFlag, BioOp, BioStatus, chainBio } from "@blkstack/bio";
import { expect, it } from "vitest";
import { BioAccount, IoKind, ioKindOf, IoStats, latencyBucketOf, Moment } from "./index.ts";

/** A clock that stands where the test puts it. */
function testClock(): { now: number; nowMs(): number } {
  return {
    now: 0,
    nowMs() {
      return this.now;
    },
  };
}

function write(bytes: number): Bio {
  const bio = new Bio();
  bio.op = BioOp.Write;
  bio.sizeBytes = bytes;
  return bio;
}

it("each bucket of latency ends at a power of two of microseconds", () => {
  expect([0, 1, 1.5, 2, 3, 4, 4.01, 1000, 1024].map(latencyBucketOf)).toEqual([
    0, 0, 1, 1, 2, 2, 3, 10, 10,
  ]);
  expect([2 ** 23, 2 ** 23 + 1, 1e12].map(latencyBucketOf)).toEqual([23, 24, 24]);
});

it("what went wrong has a count and a time, and no bytes", () => {
  const stats = new IoStats();
  expect(stats.lastErrorMs).toBe(-Infinity);
  stats.count(IoKind.Read, 4096, 1, 2);
  stats.countError(IoKind.Read, 1, 5);
  stats.count(IoKind.Write, 512, 5, 5);
  expect([stats.ios(IoKind.Read), stats.bytes(IoKind.Read), stats.errors(IoKind.Read)]).toEqual([
    2, 4096, 1,
  ]);
  expect(stats.totalUs(IoKind.Read)).toBe(5000);
  expect(stats.latency(IoKind.Read).reduce((all, one) => all + one)).toBe(2);
  expect(stats.lastErrorMs).toBe(5);
});

it("two counts added up are one", () => {
  const [one, other] = [new IoStats(), new IoStats()];
  one.count(IoKind.Flush, 0, 0, 1);
  other.countError(IoKind.Flush, 0, 3);
  other.inFlight = 2;
  one.add(other);
  expect([one.ios(IoKind.Flush), one.errors(IoKind.Flush), one.inFlight]).toEqual([2, 1, 2]);
  expect([one.totalUs(IoKind.Flush), one.lastErrorMs]).toEqual([4000, 3]);
});

it("a bio is told of its end as if nobody had counted it", () => {
  const clock = testClock();
  const account = new BioAccount(new Moment(clock));
  const bio = write(4096);
  const ends: unknown[] = [];
  bio.private = "mine";
  bio.endIo = (ended) => ends.push(ended.private, ended.status);
  account.begin(bio);
  expect(account.stats.inFlight).toBe(1);
  clock.now = 3;
  bioError(bio, BioStatus.NoSpace);
  expect(ends).toEqual(["mine", BioStatus.NoSpace]);
  expect(account.stats.inFlight).toBe(0);
  expect([account.stats.ios(IoKind.Write), account.stats.errors(IoKind.Write)]).toEqual([1, 1]);
  expect(account.stats.totalUs(IoKind.Write)).toBe(3000);
});

it("a bio that comes by again is counted once, with all its bytes", () => {
  const account = new BioAccount(new Moment(testClock()));
  const bio = write(8192);
  account.begin(bio);
  const front = write(4096);
  chainBio(front, bio);
  bio.sizeBytes = 4096;
  account.begin(bio);
  bioEndio(front);
  expect(account.stats.inFlight).toBe(1);
  bioEndio(bio);
  expect([account.stats.ios(IoKind.Write), account.stats.bytes(IoKind.Write)]).toEqual([1, 8192]);
});

it("a bio that one device hands to the next is counted by each; what is part of another ends that", () => {
  const moment = new Moment(testClock());
  const [upper, lower] = [new BioAccount(moment), new BioAccount(moment)];
  let ended = 0;
  const whole = write(8192);
  whole.endIo = () => (ended += 1);
  const part = write(4096);
  chainBio(part, whole);
  upper.begin(part);
  lower.begin(part);
  bioEndio(part);
  expect(ended).toBe(0);
  bioEndio(whole);
  expect(ended).toBe(1);
  for (const { stats } of [upper, lower]) expect(stats.bytes(IoKind.Write)).toBe(4096);
});

it("memory for a bio that has ended serves the next one", () => {
  const account = new BioAccount(new Moment(testClock()));
  const first = write(512);
  account.begin(first);
  const remembered = first.private;
  bioEndio(first);
  const next = write(512);
  account.begin(next);
  expect(next.private).toBe(remembered);
});

it("a flush with data is a write, without it a flush", () => {
  const bio = write(0);
  bio.flags = BioFlag.Preflush;
  expect(ioKindOf(bio)).toBe(IoKind.Flush);
  bio.sizeBytes = 512;
  expect(ioKindOf(bio)).toBe(IoKind.Write);
  const kinds = [BioOp.Read, BioOp.Flush, BioOp.Discard, BioOp.WriteZeroes, BioOp.ZoneOpen];
  expect(kinds.map((op) => ioKindOf(Object.assign(new Bio(), { op })))).toEqual([
    IoKind.Read,
    IoKind.Flush,
    IoKind.Discard,
    IoKind.Zero,
    IoKind.Other,
  ]);
});
