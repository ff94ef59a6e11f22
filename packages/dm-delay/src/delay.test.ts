import { BioOp, BioStatus } from "@blkstack/bio";
import { type SentBio, TargetBench } from "@blkstack/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delay } from "./delay.ts";

const START_MS = 1000;
const FIRST = { sector: 0, sectors: 1 };

it("a read is held as long as the line says, and then goes on", async () => {
  const bench = new TargetBench({ types: [delay] });
  bench.a.poke(25, new Uint8Array(512).fill(7));
  await bench.create("0 100 delay a 20 100");
  const sent = await bench.start(BioOp.Read, { sector: 5, sectors: 1 });
  await bench.scheduler.advance(99);
  expect([sent.status, bench.status()]).toEqual([null, "1 0 0"]);
  await bench.scheduler.advance(1);
  expect([sent.status, bench.status()]).toEqual([BioStatus.Ok, "0 0 0"]);
  expect(sent.bytes[0]).toBe(7);
});

it("each bio waits for itself: many at once take no longer than one", async () => {
  const bench = new TargetBench({ types: [delay] });
  await bench.create("0 100 delay a 0 100");
  const sent: SentBio[] = [];
  for (let sector = 0; sector < 64; sector += 1) {
    sent.push(await bench.start(BioOp.Write, { sector, sectors: 1 }, { byte: sector }));
    if (sector === 31) await bench.scheduler.advance(40);
  }
  await bench.scheduler.advance(200);
  const ends = sent.map(({ endedMs }) => endedMs - START_MS);
  expect(ends).toEqual([...Array<number>(32).fill(100), ...Array<number>(32).fill(140)]);
});

it("with six arguments writes and flushes, with nine also flushes, have a way of their own", async () => {
  for (const [line, ends] of [
    ["a 0 0 b 10 50", [0, 50, 50]],
    ["a 0 30 b 10 50 b 0 70", [30, 50, 70]],
  ] as const) {
    const bench = new TargetBench({ types: [delay] });
    await bench.create(`0 100 delay ${line}`);
    const read = await bench.start(BioOp.Read, FIRST);
    const write = await bench.start(BioOp.Write, FIRST, { byte: 9 });
    const flush = await bench.start(BioOp.Write, { sector: 0, sectors: 0 });
    await bench.scheduler.advance(100);
    expect([read, write, flush].map(({ endedMs }) => endedMs - START_MS)).toEqual(ends);
    expect(bench.a.firstBytes(FIRST)).toEqual([0]);
    expect(bench.b.firstBytes({ sector: 10, sectors: 1 })).toEqual([9]);
  }
});

it("a discard is a write; with no delay nothing is held", async () => {
  const bench = new TargetBench({ types: [delay] });
  await bench.create("0 100 delay a 0 100 b 0 0");
  expect(await bench.discard(0, 8)).toBe(BioStatus.Ok);
  expect(await bench.write(0, 1, 1)).toBe(BioStatus.Ok);
  expect(await bench.read(0, 1)).toBeNull();
  expect(bench.status()).toBe("1 0 0");
});

it("bios go on as they fall due, those of one moment as they came", async () => {
  const lines = fc.array(
    fc.record({ op: fc.constantFrom(BioOp.Read, BioOp.Write), pauseMs: fc.nat({ max: 15 }) }),
    { minLength: 1, maxLength: 20 },
  );
  const delays = fc.tuple(fc.constantFrom(5, 10, 20), fc.constantFrom(5, 10, 20));
  await fc.assert(
    fc.asyncProperty(lines, delays, async (history, [readMs, writeMs]) => {
      const bench = new TargetBench({ types: [delay] });
      await bench.create(`0 100 delay a 0 ${String(readMs)} a 0 ${String(writeMs)}`);
      const ended: number[] = [];
      const due: { index: number; dueMs: number }[] = [];
      for (const [index, { op, pauseMs }] of history.entries()) {
        await bench.scheduler.advance(pauseMs);
        const delayMs = op === BioOp.Read ? readMs : writeMs;
        due.push({ index, dueMs: bench.scheduler.clock.nowMs() + delayMs });
        const sent = bench.bio(op, { sector: index, sectors: 1 });
        sent.bio.endIo = () => ended.push(index);
        bench.scheduler.spawn("sender", (task) => bench.submitter.submitBio(sent.bio, task));
        await bench.scheduler.run();
      }
      await bench.scheduler.advance(100);
      due.sort((one, other) => one.dueMs - other.dueMs || one.index - other.index);
      expect(ended).toEqual(due.map(({ index }) => index));
    }),
    { numRuns: 50 },
  );
});

it("a suspend lets everything go at once; after the resume bios are held again", async () => {
  const bench = new TargetBench({ types: [delay] });
  await bench.create("0 100 delay a 0 1000");
  const before = [
    await bench.start(BioOp.Write, FIRST, { byte: 1 }),
    await bench.start(BioOp.Read, FIRST),
  ];
  await bench.perform((task) => bench.dm.suspend("md", task));
  expect(before.map(({ status }) => status)).toEqual([BioStatus.Ok, BioStatus.Ok]);
  expect(bench.scheduler.clock.nowMs()).toBe(START_MS);
  const meanwhile = await bench.start(BioOp.Write, FIRST, { byte: 2 });
  await bench.perform((task) => bench.dm.resume("md", task));
  expect([meanwhile.status, bench.status()]).toEqual([null, "0 1 0"]);
  await bench.scheduler.advance(1000);
  expect(meanwhile.status).toBe(BioStatus.Ok);
});

it("a device that is removed takes what it held with it: nothing is left to fire", async () => {
  const bench = new TargetBench({ types: [delay] });
  await bench.create("0 100 delay a 0 1000");
  const sent = await bench.start(BioOp.Write, FIRST, { byte: 1 });
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(sent.status).toBe(BioStatus.Ok);
  await bench.scheduler.advance(5000);
  expect(bench.scheduler.warnings).toEqual([]);
});

it("its table gives the arguments again, as many as there were; a delay wraps at 2^32", async () => {
  for (const [line, table] of [
    ["a 5 100", "7:0 5 100"],
    ["a 0 0 b 10 200", "7:0 0 0 7:16 10 200"],
    ["a 0 50 b 0 100 a 0 300", "7:0 0 50 7:16 0 100 7:0 0 300"],
    ["a 0 4294967296", "7:0 0 0"],
  ]) {
    const bench = new TargetBench({ types: [delay] });
    await bench.create(`0 100 delay ${line ?? ""}`);
    expect(bench.table()).toBe(`0 100 delay ${table ?? ""}`);
  }
});

describe("a line is refused", () => {
  it.each([
    ["a 0", "Requires exactly 3, 6 or 9 arguments"],
    ["a 0 10 b 0", "Requires exactly 3, 6 or 9 arguments"],
    ["a 0 10 b 0 1 a 0 1 a 0 1", "Requires exactly 3, 6 or 9 arguments"],
    ["a 0 x", 'Invalid delay ("x" is no unsigned decimal number of milliseconds)'],
    ["a 0 -1", "Invalid delay"],
    ["a y 10", "Invalid device sector"],
    ["none 0 10", "Device lookup failed"],
    ["a 0 10 b 901 10", "b too small for target"],
  ])("delay %s", async (args, message) => {
    expect(await new TargetBench({ types: [delay] }).refusal(`0 100 delay ${args}`)).toContain(
      message,
    );
  });
});
