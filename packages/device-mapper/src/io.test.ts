import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { EndIoResult, MapResult } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { endingType, probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const POLICIES = [frontClone, remainderClone, loop];
const ok = { ends: 1, status: BioStatus.Ok };

describe.each(POLICIES)("$name", (splitPolicy) => {
  it("a write over two lines lands on both devices, and ends once", async () => {
    const bench = new Bench({ splitPolicy });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    const write = bench.prepare("md", BioOp.Write, 4, 8);
    write.bytes.fill(1, 0, 2048).fill(2, 2048);
    await bench.perform(async (task) => bench.submitter.submitBio(write.bio, task));
    expect(write).toMatchObject(ok);
    expect([bench.a.log, bench.b.log]).toEqual([["WRITE 4+4"], ["WRITE 0+4"]]);
    expect(bench.a.bytes.subarray(2048, 4096).every((byte) => byte === 1)).toBe(true);
    expect(bench.b.bytes.subarray(0, 2048).every((byte) => byte === 2)).toBe(true);
  });

  it("lines within a target count from its begin", async () => {
    const bench = new Bench({ splitPolicy, types: [probeType({ maxIoSectors: 6 })] });
    await bench.create("md", "0 10 failing", "10 20 probe a 10");
    expect(await bench.send("md", BioOp.Read, 14, 8)).toMatchObject(ok);
    expect(bench.a.log).toEqual(["READ 14+2", "READ 16+6"]);
  });

  it("or from where the target says", async () => {
    const type = probeType({ maxIoSectors: 6, ioLinesFrom: 0 });
    const bench = new Bench({ splitPolicy, types: [type] });
    await bench.create("md", "0 10 failing", "10 20 probe a 10");
    expect(await bench.send("md", BioOp.Read, 14, 8)).toMatchObject(ok);
    expect(bench.a.log).toEqual(["READ 14+4", "READ 18+4"]);
  });

  it("an error in the second of four pieces is the error of the whole; the others still run", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const bench = new Bench({ splitPolicy, scheduler, memory });
    await bench.create("md", "0 4 probe a 0", "4 4 failing", "8 4 probe a 8", "12 4 probe b 0");
    const sent = await bench.send("md", BioOp.Write, 0, 16);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
    expect([bench.a.log, bench.b.log]).toEqual([["WRITE 0+4", "WRITE 8+4"], ["WRITE 0+4"]]);
    expect(bench.dm.get("md").inFlight.count).toBe(0);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it("what a target does not accept comes to it later", async () => {
    const type = probeType({
      map: (bio, target) => {
        target.context.acceptPartial(bio, Math.min(bio.sectors, 3));
        return target.sendDown(bio);
      },
    });
    const bench = new Bench({ splitPolicy, types: [type] });
    await bench.create("md", "0 16 probe a 0");
    expect(await bench.send("md", BioOp.Write, 2, 8)).toMatchObject(ok);
    expect(bench.a.log).toEqual(["WRITE 2+3", "WRITE 5+3", "WRITE 8+2"]);
  });

  it("the original ends after its last piece, whichever that is", async () => {
    const bench = new Bench({ splitPolicy });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    bench.a.isHolding = bench.b.isHolding = true;
    const sent = await bench.send("md", BioOp.Write, 4, 8);
    bench.b.endAll();
    expect(sent.ends).toBe(0);
    bench.a.endAll();
    expect(sent).toMatchObject(ok);
  });
});

it.each([
  [frontClone, [0, 0, 0]],
  [loop, [0, 1, 2]],
])("bios parked while each piece of a write is mapped (%o): %o", async (splitPolicy, expected) => {
  const parked: number[] = [];
  const type = probeType({
    map(_bio, _target, task) {
      const lists = task.bioLists;
      parked.push((lists?.current.size ?? 0) + (lists?.older.size ?? 0));
      return undefined;
    },
  });
  const bench = new Bench({ splitPolicy, types: [type] });
  await bench.create("md", "0 4 probe a 0", "4 4 probe b 0", "8 4 probe a 8");
  expect(await bench.send("md", BioOp.Write, 0, 12)).toMatchObject(ok);
  expect(parked).toEqual(expected);
});

describe("a flush", () => {
  it("goes once to every target that takes one, and passes by the others", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0", "16 8 failing");
    expect(await bench.flush("md")).toMatchObject(ok);
    expect([bench.a.log, bench.b.log]).toEqual([["flush"], ["flush"]]);
  });

  it("of a table that takes none succeeds at once", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 failing");
    expect(await bench.flush("md")).toMatchObject(ok);
  });

  it("goes to more targets than there are clones without memory", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const bench = new Bench({ scheduler, memory, poolSize: 2 });
    const lines = Array.from({ length: 20 }, (_, i) => `${String(i * 2)} 2 probe a 0`);
    await bench.create("md", ...lines);
    memory.faultPlan = { fails: () => true };
    expect(await bench.flush("md")).toMatchObject(ok);
    expect(bench.a.log).toHaveLength(20);
  });

  it("that is an operation of its own goes to every target like any other flush", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0", "16 8 failing");
    bench.b.isHolding = true;
    const sent = await bench.send("md", BioOp.Flush, 0, 0);
    expect(sent.ends).toBe(0);
    bench.b.endAll();
    expect(sent).toMatchObject(ok);
    expect([bench.a.log, bench.b.log]).toEqual([["flush"], ["flush"]]);
  });

  it("that is an operation of its own has no data behind it, whatever its size says", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0");
    await bench.create("none", "0 8 failing");
    expect(await bench.send("md", BioOp.Flush, 0, 4)).toMatchObject(ok);
    expect(bench.a.log).toEqual(["flush"]);
    expect(await bench.send("none", BioOp.Flush, 0, 4)).toMatchObject(ok);
  });

  it("that is an operation of its own and fails says so", async () => {
    const bench = new Bench({ types: [probeType({ map: () => MapResult.Kill })] });
    await bench.create("md", "0 8 probe a 0");
    const failed = { ends: 1, status: BioStatus.IoError };
    expect(await bench.send("md", BioOp.Flush, 0, 0)).toMatchObject(failed);
    expect(await bench.send("md", BioOp.Flush, 0, 4)).toMatchObject(failed);
  });

  it("before data is over before the data is mapped", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    bench.b.isHolding = true;
    const flags = BioFlag.Preflush | BioFlag.Fua;
    const sent = await bench.send("md", BioOp.Write, 0, 4, flags);
    expect(bench.a.log).toEqual(["flush"]);
    bench.b.endAll();
    await bench.scheduler.run();
    expect(bench.a.log).toEqual(["flush", "WRITE 0+4"]);
    expect(sent).toMatchObject(ok);
  });

  it.each([
    ["propagate", BioStatus.IoError, []],
    ["drop", BioStatus.Ok, ["WRITE 0+4"]],
  ] as const)("that fails before data: %s", async (preflushError, status, log) => {
    const type = probeType({
      map: (bio) => ((bio.flags & BioFlag.Preflush) === 0 ? undefined : MapResult.Kill),
    });
    const bench = new Bench({ preflushError, types: [type] });
    await bench.create("md", "0 8 probe a 0");
    const sent = await bench.send("md", BioOp.Write, 0, 4, BioFlag.Preflush);
    expect(sent).toMatchObject({ ends: 1, status });
    expect(bench.a.log).toEqual(log);
  });

  it("that must not wait ends with Again", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0");
    const flags = BioFlag.Preflush | BioFlag.NoWait;
    const sent = await bench.send("md", BioOp.Write, 0, 0, flags);
    expect(sent.status).toBe(BioStatus.Again);
  });
});

describe("an operation besides reads and writes", () => {
  it("comes as often as the target wants it, each copy with its number", async () => {
    const copies: number[] = [];
    const type = probeType({
      copies: 3,
      map(bio, target) {
        copies.push(target.context.copyIndex(bio));
        return undefined;
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 16 probe a 0");
    expect(await bench.send("md", BioOp.Discard, 4, 4)).toMatchObject(ok);
    expect(bench.a.log).toEqual(["DISCARD 4+4", "DISCARD 4+4", "DISCARD 4+4"]);
    expect(copies).toEqual([0, 1, 2]);
  });

  it("is refused by a target that does not declare it", async () => {
    const bench = new Bench({ types: [probeType({ copies: 0 })] });
    await bench.create("md", "0 16 probe a 0");
    expect(bench.dm.get("md").queue.limits.maxDiscardSectors).toBe(0);
    const { bio, ...sent } = bench.prepare("md", BioOp.Discard, 4, 4);
    bio.endIo = (ended) => {
      sent.status = ended.status;
    };
    // Straight to the driver: the limits would have stopped it before.
    await bench.perform(async (task) => bench.dm.get("md").submitBio(bio, task));
    expect(sent.status).toBe(BioStatus.NotSupported);
  });

  it("needs all its copies: two tasks with half of them each would wait for ever", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const bench = new Bench({ scheduler, memory, poolSize: 2, types: [probeType({ copies: 3 })] });
    await bench.create("md", "0 16 probe a 0");
    memory.faultPlan = { fails: () => true };
    const discards = [0, 4].map((sector) => bench.prepare("md", BioOp.Discard, sector, 4));
    for (const { bio } of discards) {
      scheduler.spawn("discard", (task) => bench.submitter.submitBio(bio, task));
    }
    await scheduler.run();
    expect(discards).toMatchObject([ok, ok]);
  });
});

describe("a target", () => {
  it("that kills a bio ends it with an I/O error", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 failing");
    expect((await bench.send("md", BioOp.Read, 0, 8)).status).toBe(BioStatus.IoError);
  });

  it("may end a bio itself, inside map", async () => {
    const bench = new Bench({ types: [endingType(BioStatus.NoSpace)] });
    await bench.create("md", "0 8 ending");
    expect((await bench.send("md", BioOp.Write, 0, 8)).status).toBe(BioStatus.NoSpace);
  });

  it("sees bios end, may change how, and may keep them to end them again", async () => {
    let seen = 0;
    const type = probeType({
      endIo(bio) {
        seen += 1;
        if (seen === 1) {
          bio.endIo?.(bio);
          return EndIoResult.Incomplete;
        }
        bio.status = BioStatus.Medium;
        return EndIoResult.Done;
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    const sent = await bench.send("md", BioOp.Read, 0, 8);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.Medium });
    expect(seen).toBe(2);
  });

  it("that wants a bio back while nobody suspends has it fail, and nobody sees the push-back", async () => {
    const bench = new Bench({ types: [probeType({ map: () => MapResult.Requeue })] });
    await bench.create("md", "0 8 probe a 0");
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
  });

  it("finds what it keeps with each bio, made once per pooled bio", async () => {
    const seen = new Set<object>();
    const type = probeType({
      createPerBioData: () => ({ marks: 0 }),
      map(bio, target) {
        seen.add(target.context.perBioData(bio));
        return undefined;
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    await bench.send("md", BioOp.Write, 0, 8);
    await bench.send("md", BioOp.Write, 0, 8);
    expect(seen.size).toBeGreaterThan(0);
    for (const data of seen) expect(data).toEqual({ marks: 0 });
  });
});

describe("a bio", () => {
  it("that must not wait is not cut, but sent back", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    const cut = await bench.send("md", BioOp.Read, 4, 8, BioFlag.NoWait);
    expect(cut).toMatchObject({ ends: 1, status: BioStatus.Again });
    const whole = await bench.send("md", BioOp.Read, 4, 4, BioFlag.NoWait);
    expect(whole).toMatchObject(ok);
  });

  it("to a device without a table fails, and so does one beyond the end", async () => {
    const bench = new Bench();
    await bench.perform((task) => bench.dm.create("md", task));
    expect((await bench.send("md", BioOp.Read, 0, 8)).status).toBe(BioStatus.IoError);
    await bench.create("short", "0 8 probe a 0");
    expect((await bench.send("short", BioOp.Read, 4, 8)).status).toBe(BioStatus.IoError);
  });

  it("of no sectors ends well, and no target sees it", async () => {
    const bench = new Bench();
    await bench.create("md", "0 8 failing");
    expect(await bench.send("md", BioOp.Read, 4, 0)).toMatchObject(ok);
  });
});
