import { type Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { MapResult } from "@blkstack/block";
import { allFail, failsAt } from "@blkstack/memory";
import { Completion } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { type ProbeBehaviour, probeType } from "../test/test-targets.ts";
import { wholeSets } from "./fan-out-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };

describe("a flush", () => {
  it("comes to a target as an empty write of the device, at the target's first sector", async () => {
    const seen: Partial<Bio>[] = [];
    const type = probeType({
      map({ device, op, flags, sector, sizeBytes }) {
        seen.push({ device, op, flags, sector, sizeBytes });
        return undefined;
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    expect(await bench.flush("md")).toMatchObject(ok);
    const flags = BioFlag.Preflush | BioFlag.Sync;
    const flush = { device: bench.dm.get("md"), op: BioOp.Write, flags, sizeBytes: 0 };
    expect(seen).toEqual([
      { ...flush, sector: 0 },
      { ...flush, sector: 8 },
    ]);
  });

  it("says which of its target's flushes it is, also when others are not sent", async () => {
    const copies: number[] = [];
    const map: ProbeBehaviour["map"] = (bio, target) => {
      copies.push(target.context.copyIndex(bio));
      return undefined;
    };
    const twice = probeType({ flushes: 2, passesFlushes: true, map }, "twice");
    const bench = new Bench({ types: [twice, probeType({ passesFlushes: true })] });
    await bench.create("alone", "0 8 twice a 0");
    await bench.create("behind", "0 8 probe a 0", "8 8 twice a 8");
    await bench.flush("alone");
    expect(copies.splice(0)).toEqual([0, 1]);
    await bench.flush("behind");
    expect(copies).toEqual([1]);
  });

  it.each([
    [1, "a flush cannot be accepted in part"],
    [2, "a bio with duplicates cannot be accepted in part"],
  ])("of a target that takes %i is not accepted in part", async (flushes, complaint) => {
    const type = probeType({
      flushes,
      map(bio, target) {
        target.context.acceptPartial(bio, 1);
        return undefined;
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    await expect(bench.flush("md")).rejects.toThrow(complaint);
  });

  it("leaves nothing when it is over", async () => {
    const bench = new Bench({ types: [probeType({ flushes: 2 })] });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    await bench.flush("md");
    const { pools, inFlight } = bench.dm.get("md");
    expect([pools?.liveCount, inFlight.count]).toEqual([0, 0]);
  });
});

/** Targets whose map sleeps until the test lets one more go on; `log` tells what they do. */
function sleepyType(log: string[]): {
  type: ReturnType<typeof probeType>;
  gate: Completion;
} {
  const gate = new Completion("a nap");
  const type = probeType({
    copies: 3,
    flushes: 2,
    async map(bio, target, task) {
      const name = `${target.device.name} ${String(target.context.copyIndex(bio))}`;
      log.push(`begin ${name}`);
      await gate.wait(task);
      log.push(`end ${name}`);
      return target.sendDown(bio);
    },
  });
  return { type, gate };
}

it.each([
  [BioOp.Flush, ["a 0", "a 1", "b 0", "b 1"]],
  [BioOp.Discard, ["a 0", "a 1", "a 2"]],
])(
  "the clones of bio %i are mapped one after the other, also when each map sleeps",
  async (op, names) => {
    const log: string[] = [];
    const { type, gate } = sleepyType(log);
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    const sent = await bench.send("md", op, 0, op === BioOp.Flush ? 0 : 4);
    for (const name of names) {
      expect(log.splice(0)).toEqual([`begin ${name}`]);
      expect(sent.ends).toBe(0);
      gate.complete();
      await bench.scheduler.run();
      expect(log.shift()).toBe(`end ${name}`);
    }
    expect(log).toEqual([]);
    expect(sent).toMatchObject(ok);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  },
);

describe("without memory for clones", () => {
  it("a discard waits until those of another have ended, and leaves nothing", async () => {
    const bench = new Bench({ types: [probeType({ copies: 3 })], poolSize: 2 });
    await bench.create("md", "0 16 probe a 0");
    bench.memory.faultPlan = allFail;
    bench.a.isHolding = true;
    const discards = [0, 4].map((sector) => bench.prepare("md", BioOp.Discard, sector, 4));
    for (const { bio } of discards) {
      bench.scheduler.spawn("discard", (task) => bench.submitter.submitBio(bio, task));
    }
    await bench.scheduler.run();
    expect(bench.a.log).toHaveLength(3);
    bench.a.endAll();
    await bench.scheduler.run();
    expect(discards).toMatchObject([ok, ok]);
    expect(bench.a.log).toHaveLength(6);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it("a discard may wait that came straight to the driver, with no bios parked", async () => {
    const bench = new Bench({ types: [probeType({ copies: 3 })], poolSize: 2 });
    await bench.create("md", "0 16 probe a 0");
    const md = bench.dm.get("md");
    bench.memory.faultPlan = failsAt(["bios of md-clone"]);
    bench.a.isHolding = true;
    const first = await bench.send("md", BioOp.Discard, 0, 4);
    const second = bench.prepare("md", BioOp.Discard, 4, 4);
    bench.scheduler.spawn("discard", (task) => md.submitBio(second.bio, task));
    await bench.scheduler.run();
    bench.a.endAll();
    await bench.scheduler.run();
    expect([first, second]).toMatchObject([ok, ok]);
  });

  it("a flush sends what it has parked on its way before it waits behind another", async () => {
    const gate = new Completion("a nap");
    let isSleepy = true;
    const sleepy = probeType(
      {
        async map(bio, target, task) {
          if (isSleepy) await gate.wait(task);
          return target.sendDown(bio);
        },
      },
      "sleepy",
    );
    const fanOut = { ...wholeSets, reserve: () => 2 };
    const bench = new Bench({ fanOut, poolSize: 2, types: [probeType(), sleepy] });
    await bench.create("md", "0 8 probe a 0", "8 8 sleepy a 8", "16 8 probe b 0");
    bench.memory.faultPlan = allFail;
    const flushes = [0, 1].map(() => bench.prepare("md", BioOp.Flush, 0, 0));
    const [first, second] = flushes.map(({ bio }) =>
      bench.scheduler.spawn("flush", (task) => bench.submitter.submitBio(bio, task)),
    );
    await bench.scheduler.run();
    // The first has both clones, one of them parked; the second has the lock, and waits for them.
    expect(first?.waitingFor?.label).toBe('completion "a nap"');
    expect(second?.waitingFor?.label).toBe('bio_set "md-clone"');
    isSleepy = false;
    gate.complete();
    await bench.scheduler.run();
    expect(flushes).toMatchObject([ok, ok]);
    expect(bench.a.log).toHaveLength(4);
    expect(bench.b.log).toHaveLength(2);
  });
});

it.each([1, 2, 3, 4])("flushes and discards end well whoever runs when (seed %i)", async (seed) => {
  const scheduler = new VirtualScheduler({ seed });
  const type = probeType({ copies: 3, flushes: 2 });
  const bench = new Bench({ scheduler, types: [type], poolSize: 3 });
  await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
  bench.memory.faultPlan = allFail;
  const ops = [BioOp.Flush, BioOp.Discard, BioOp.Flush, BioOp.Discard];
  const sent = ops.map((op) => bench.prepare("md", op, 0, op === BioOp.Flush ? 0 : 4));
  for (const { bio } of sent) {
    scheduler.spawn("sender", (task) => bench.submitter.submitBio(bio, task));
  }
  await scheduler.run();
  expect(sent).toMatchObject([ok, ok, ok, ok]);
  expect([bench.a.log.length, bench.b.log.length]).toEqual([10, 4]);
  expect(bench.dm.get("md").pools?.liveCount).toBe(0);
});

it("who may not wait has as many copies made as anybody", async () => {
  const bench = new Bench({ types: [probeType({ copies: 3 })] });
  await bench.create("md", "0 16 probe a 0");
  expect(await bench.send("md", BioOp.Discard, 4, 4, BioFlag.NoWait)).toMatchObject(ok);
  expect(bench.a.log).toEqual(["DISCARD 4+4", "DISCARD 4+4", "DISCARD 4+4"]);
});

it("who may not wait gives back the clones that he got, whoever runs when", async () => {
  const scheduler = new VirtualScheduler({ seed: 1 });
  const type = probeType({ copies: 4, map: (bio, target) => target.sendDown(bio) });
  const bench = new Bench({ scheduler, types: [type], fanOut: { ...wholeSets, reserve: () => 2 } });
  await bench.create("md", "0 16 probe a 0");
  bench.memory.faultPlan = failsAt(["bios of md-clone"]);
  const sent = await bench.send("md", BioOp.Discard, 4, 4, BioFlag.NoWait);
  expect(sent).toMatchObject({ ends: 1, status: BioStatus.Again });
  expect(bench.a.log).toEqual([]);
  expect(bench.dm.get("md").pools?.liveCount).toBe(0);
});

it("a copy that its target will not have fails the bio, the others run", async () => {
  const type = probeType({
    copies: 3,
    map: (bio, target) => (target.context.copyIndex(bio) === 1 ? MapResult.Kill : undefined),
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", "0 16 probe a 0");
  const sent = await bench.send("md", BioOp.Discard, 4, 4);
  expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
  expect(bench.a.log).toEqual(["DISCARD 4+4", "DISCARD 4+4"]);
});
