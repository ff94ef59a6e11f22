import { Bio, bioEndio, BioOp } from "@blkstack/bio";
import { expect, it } from "vitest";
import { BioAccount, IoKind, Moment } from "./index.ts";

/** A clock on which a millisecond passes with each look at it. */
function lookedAt() {
  let looks = 0;
  const clock = { nowMs: () => (looks += 1) };
  return { moment: new Moment(clock), looks: () => looks };
}

function read(): Bio {
  const bio = new Bio();
  bio.op = BioOp.Read;
  bio.sizeBytes = 512;
  return bio;
}

it("a bio on its way through devices is worth two looks at the clock, however many they are", () => {
  const { moment, looks } = lookedAt();
  const accounts = Array.from({ length: 5 }, () => new BioAccount(moment));
  const bio = read();
  for (const account of accounts) account.begin(bio);
  bioEndio(bio);
  expect(looks()).toBe(2);
  for (const { stats } of accounts) expect(stats.totalUs(IoKind.Read)).toBe(1000);
});

it("what begins once time has passed, or another bio has ended, begins later", () => {
  const { moment } = lookedAt();
  const account = new BioAccount(moment);
  const [first, second, third] = [read(), read(), read()];
  account.begin(first);
  bioEndio(first);
  account.begin(second);
  moment.pass();
  account.begin(third);
  // They began at 1, 3 and 4; the first has ended at 2.
  bioEndio(third);
  bioEndio(second);
  expect(account.stats.totalUs(IoKind.Read)).toBe(1000 + 1000 + 3000);
});

it("a bio that begins and ends while the end of another is told takes its own time", () => {
  const { moment } = lookedAt();
  const [upper, lower] = [new BioAccount(moment), new BioAccount(moment)];
  const [whole, other] = [read(), read()];
  whole.endIo = () => {
    lower.begin(other);
    bioEndio(other);
  };
  upper.begin(whole);
  bioEndio(whole);
  expect(upper.stats.totalUs(IoKind.Read)).toBe(1000);
  expect(lower.stats.totalUs(IoKind.Read)).toBe(1000);
});
