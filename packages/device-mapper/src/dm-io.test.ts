import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { EndIoResult, MapResult } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench, type BenchOptions } from "../test/bench.ts";
import { endingType, probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const POLICIES = [frontClone, remainderClone, loop];
const ok = { ends: 1, status: BioStatus.Ok };

/** A device "md" over disk a, whose targets of type "choosy" give bios back while `isGivingBack`. */
class GivingBack {
  isGivingBack = true;
  readonly bench: Bench;

  constructor(options: BenchOptions = {}, copies = 1) {
    const endIo = (): EndIoResult => (this.isGivingBack ? EndIoResult.Requeue : EndIoResult.Done);
    const types = [probeType({ copies }), probeType({ copies, endIo }, "choosy")];
    this.bench = new Bench({ ...options, types });
    this.bench.a.isHolding = true;
  }

  /** The disk ends all that it holds while the device is being suspended. */
  async suspend(): Promise<void> {
    const { bench } = this;
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task, { noflush: true }));
    await bench.scheduler.run();
    bench.a.endAll();
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
  }

  /** What the disk gets once the device goes on. */
  async resume(): Promise<string[]> {
    const { bench } = this;
    this.isGivingBack = false;
    const before = bench.a.log.length;
    await bench.perform((task) => bench.dm.resume("md", task));
    await bench.scheduler.run();
    return bench.a.log.slice(before);
  }

  /** Clones in use, and bios that wait for the resume. */
  get kept(): { clones: number | undefined; bios: number } {
    const md = this.bench.dm.get("md");
    return { clones: md.pools?.liveCount, bios: md.deferred.count };
  }
}

describe.each(POLICIES)("given back for a suspend, cut by $name,", (splitPolicy) => {
  it("a bio in one piece waits for the resume as it came, and keeps no clone", async () => {
    const giving = new GivingBack({ splitPolicy });
    await giving.bench.create("md", "0 16 choosy a 0");
    const sent = await giving.bench.send("md", BioOp.Write, 4, 8);
    await giving.suspend();
    expect(giving.kept).toEqual({ clones: 0, bios: 1 });
    expect(await giving.resume()).toEqual(["WRITE 4+8"]);
    expect(sent).toMatchObject(ok);
    expect(giving.kept).toEqual({ clones: 0, bios: 0 });
  });

  it.each([
    ["first", ["choosy", "probe", "probe"], ["WRITE 2+2"]],
    ["middle", ["probe", "choosy", "probe"], ["WRITE 4+4"]],
    ["last", ["probe", "probe", "choosy"], ["WRITE 8+3"]],
    ["first and last", ["choosy", "probe", "choosy"], ["WRITE 2+2", "WRITE 8+3"]],
  ])("the %s piece of a bio is written again, with its own bytes", async (_, types, again) => {
    const giving = new GivingBack({ splitPolicy });
    const { bench } = giving;
    const lines = types.map(
      (type, index) => `${String(index * 4)} 4 ${type} a ${String(index * 4)}`,
    );
    await bench.create("md", ...lines);
    const write = bench.prepare("md", BioOp.Write, 2, 9);
    for (const index of write.bytes.keys()) write.bytes[index] = 1 + (index >> 9);
    await bench.perform(async (task) => bench.submitter.submitBio(write.bio, task));
    await giving.suspend();
    expect(write.ends).toBe(0);
    bench.a.bytes.fill(0);
    expect((await giving.resume()).toSorted()).toEqual(again);
    expect(write).toMatchObject(ok);
    const sectors = again.flatMap((line) => {
      const [from = 0, count = 0] = line.replace("WRITE ", "").split("+").map(Number);
      return Array.from({ length: count }, (_each, index) => from + index);
    });
    const expected = Array.from({ length: 64 }, (_each, sector) =>
      sectors.includes(sector) ? sector - 1 : 0,
    );
    expect(expected.map((_each, sector) => bench.a.bytes[sector * 512])).toEqual(expected);
    expect(giving.kept).toEqual({ clones: 0, bios: 0 });
  });

  it("each copy of a discard is given back, and all come again", async () => {
    const giving = new GivingBack({ splitPolicy }, 3);
    await giving.bench.create("md", "0 16 choosy a 0");
    const sent = await giving.bench.send("md", BioOp.Discard, 4, 8);
    expect(giving.bench.a.log).toHaveLength(3);
    await giving.suspend();
    expect(giving.kept).toEqual({ clones: 0, bios: 1 });
    expect(await giving.resume()).toEqual(Array(3).fill("DISCARD 4+8"));
    expect(sent).toMatchObject(ok);
    expect(giving.kept).toEqual({ clones: 0, bios: 0 });
  });

  it("while nobody suspends, a piece fails, and with it the whole, once", async () => {
    const giving = new GivingBack({ splitPolicy });
    await giving.bench.create("md", "0 4 probe a 0", "4 4 choosy a 4", "8 4 probe a 8");
    giving.bench.a.isHolding = false;
    const sent = await giving.bench.send("md", BioOp.Write, 0, 12);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
    expect(giving.kept).toEqual({ clones: 0, bios: 0 });
  });
});

describe("of two pieces that fail", () => {
  const types = [endingType(BioStatus.NoSpace, "full"), endingType(BioStatus.Medium, "broken")];

  it.each([frontClone, remainderClone])(
    "the first tells why, cut by $name",
    async (splitPolicy) => {
      const bench = new Bench({ splitPolicy, types });
      await bench.create("md", "0 8 full", "8 8 broken");
      const sent = await bench.send("md", BioOp.Write, 0, 16);
      expect(sent).toMatchObject({ ends: 1, status: BioStatus.NoSpace });
    },
  );

  it("and have one account, the latest tells why", async () => {
    const bench = new Bench({ splitPolicy: loop, types });
    await bench.create("md", "0 8 full", "8 8 broken");
    const sent = await bench.send("md", BioOp.Write, 0, 16);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.Medium });
  });
});

describe.each(["propagate", "drop"] as const)(
  "where errors of flushes before data: %s,",
  (preflushError) => {
    const type = probeType({
      map: (bio) => ((bio.flags & BioFlag.Preflush) === 0 ? undefined : MapResult.Kill),
    });

    it("a flush that has no data says that it failed, and asks no worker for anything", async () => {
      const bench = new Bench({ types: [type], preflushError });
      await bench.create("md", "0 16 probe a 0");
      const sent = bench.prepare("md", BioOp.Write, 0, 0, BioFlag.Preflush);
      await bench.perform(async (task) => {
        await bench.submitter.submitBio(sent.bio, task);
        expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
      });
    });

    it("a flush that has some does as told", async () => {
      const bench = new Bench({ types: [type], preflushError });
      await bench.create("md", "0 16 probe a 0");
      const sent = await bench.send("md", BioOp.Write, 0, 4, BioFlag.Preflush);
      const isFailed = preflushError === "propagate";
      const status = isFailed ? BioStatus.IoError : BioStatus.Ok;
      expect(sent).toMatchObject({ ends: 1, status });
      expect(bench.a.log).toEqual(isFailed ? [] : ["WRITE 0+4"]);
    });
  },
);
