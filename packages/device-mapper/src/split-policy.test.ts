import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { MapResult } from "@blkstack/block";
import { allFail, failsAt } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };
const TABLE = ["0 4 probe a 0", "4 4 probe b 0", "8 4 probe a 8", "12 4 probe b 8"];
const POLICIES = [frontClone, remainderClone, loop];

/** Takes at most three sectors of each bio. */
const modest = probeType({
  map: (bio, target) => {
    target.context.acceptPartial(bio, Math.min(bio.sectors, 3));
    return target.sendDown(bio);
  },
});

it("the ways to cut have names, and one of them has an account for all pieces", () => {
  expect(POLICIES.map(({ name, isInPlace }) => [name, isInPlace])).toEqual([
    ["front-clone", false],
    ["remainder-clone", false],
    ["loop", true],
  ]);
});

it("the clone of a front goes back to the front, that of the rest to the bio itself", async () => {
  const bench = new Bench({ splitPolicy: frontClone });
  await bench.create("md", ...TABLE);
  bench.a.isHolding = bench.b.isHolding = true;
  const { bio } = await bench.send("md", BioOp.Write, 1, 6);
  const [front, rest] = [...bench.a.held, ...bench.b.held].map(({ parent }) => parent);
  expect(front).not.toBe(bio);
  expect([front?.sector, front?.sectors]).toEqual([1, 3]);
  expect(rest).toBe(bio);
  expect([bio.sector, bio.sectors]).toEqual([4, 3]);
});

describe.each(POLICIES)("$name", (splitPolicy) => {
  it("brings each sector where it belongs, also when every map sleeps", async () => {
    const napping = probeType({
      async map(bio, target, task) {
        await task.scheduler.sleep(task, { label: "a nap", blockers: () => [] }, 0);
        return target.sendDown(bio);
      },
    });
    const bench = new Bench({ splitPolicy, types: [napping] });
    await bench.create("md", ...TABLE);
    const { bio, bytes, ...sent } = bench.prepare("md", BioOp.Write, 2, 13);
    for (let sector = 0; sector < 13; sector += 1) {
      bytes.fill(sector + 1, sector * 512, (sector + 1) * 512);
    }
    await bench.perform(async (task) => bench.submitter.submitBio(bio, task));
    await bench.scheduler.run();
    expect(sent.ends).toBe(0);
    const firstBytes = ({ bytes: of }: { bytes: Uint8Array }): number[] =>
      Array.from({ length: 16 }, (_, sector) => of[sector * 512] ?? -1);
    expect(firstBytes(bench.a)).toEqual([0, 0, 1, 2, 0, 0, 0, 0, 7, 8, 9, 10, 0, 0, 0, 0]);
    expect(firstBytes(bench.b)).toEqual([3, 4, 5, 6, 0, 0, 0, 0, 11, 12, 13, 0, 0, 0, 0, 0]);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it.each([undefined, 1, 2])(
    "ends with Again who may not wait to be cut (seed %o)",
    async (seed) => {
      const scheduler = new VirtualScheduler(seed === undefined ? {} : { seed });
      const options = { splitPolicy, scheduler, poolSize: 1, splitPoolSize: 1, types: [modest] };
      const bench = new Bench(options);
      await bench.create("md", "0 16 probe a 0");
      bench.memory.faultPlan = failsAt(["bios of md-split", "bios of md-clone"]);
      bench.a.isHolding = true;
      const first = await bench.send("md", BioOp.Write, 0, 6);
      expect(bench.a.log.splice(0)).toEqual(["WRITE 0+3", "WRITE 3+3"]);
      const second = await bench.send("md", BioOp.Write, 8, 6, BioFlag.NoWait);
      // What was on its way already is waited for.
      expect(bench.a.log).toEqual(["WRITE 8+3"]);
      expect(second.ends).toBe(0);
      bench.a.endAll();
      await scheduler.run();
      expect(first).toMatchObject(ok);
      expect(second).toMatchObject({ ends: 1, status: BioStatus.Again });
      expect(bench.dm.get("md").pools?.liveCount).toBe(0);
    },
  );

  it.each([undefined, 1, 2])("waits for a bio to cut with (seed %o)", async (seed) => {
    const scheduler = new VirtualScheduler(seed === undefined ? {} : { seed });
    const bench = new Bench({ splitPolicy, scheduler, poolSize: 1, splitPoolSize: 1 });
    await bench.create("md", ...TABLE);
    bench.memory.faultPlan = failsAt(["bios of md-split", "bios of md-clone"]);
    bench.a.isHolding = true;
    const first = await bench.send("md", BioOp.Write, 2, 4);
    const second = await bench.send("md", BioOp.Write, 6, 4);
    expect(second.ends).toBe(0);
    bench.a.endAll();
    await scheduler.run();
    expect([first, second]).toMatchObject([ok, ok]);
    expect([...bench.a.log, ...bench.b.log].sort()).toEqual([
      "WRITE 0+2",
      "WRITE 2+2",
      "WRITE 2+2",
      "WRITE 8+2",
    ]);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it.each([1, 2, 3])("has two bios end well, whoever runs when (seed %i)", async (seed) => {
    const scheduler = new VirtualScheduler({ seed });
    const bench = new Bench({ splitPolicy, scheduler, poolSize: 8, splitPoolSize: 6 });
    await bench.create("md", ...TABLE);
    bench.memory.faultPlan = allFail;
    const writes = [0, 1].map(() => bench.prepare("md", BioOp.Write, 2, 13));
    for (const { bio } of writes) {
      scheduler.spawn("writer", (task) => bench.submitter.submitBio(bio, task));
    }
    await scheduler.run();
    expect(writes).toMatchObject([ok, ok]);
    expect([bench.a.log.length, bench.b.log.length]).toEqual([4, 4]);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it("has the first piece come again alone that its target gave back", async () => {
    let isRefusing = true;
    const choosy = probeType({ map: () => (isRefusing ? MapResult.Requeue : undefined) }, "choosy");
    const bench = new Bench({ splitPolicy, types: [probeType(), choosy] });
    await bench.create("md", "0 4 choosy a 0", "4 4 probe b 0");
    bench.dm.get("md").isPushingBack = true;
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([bench.a.log, bench.b.log, sent.ends]).toEqual([[], ["WRITE 0+4"], 0]);
    isRefusing = false;
    await bench.perform(async (task) => {
      await bench.dm.suspend("md", task, { noflush: true });
      await bench.dm.resume("md", task);
    });
    expect([bench.a.log, bench.b.log]).toEqual([["WRITE 0+4"], ["WRITE 0+4"]]);
    expect(sent).toMatchObject(ok);
  });

  it("keeps no clone of a bio that was given back whole", async () => {
    let isRefusing = true;
    const choosy = probeType({ map: () => (isRefusing ? MapResult.Requeue : undefined) });
    const bench = new Bench({ splitPolicy, types: [choosy] });
    await bench.create("md", "0 8 probe a 0");
    const md = bench.dm.get("md");
    md.isPushingBack = true;
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([md.deferred.count, md.pools?.liveCount, sent.ends]).toEqual([1, 0, 0]);
    isRefusing = false;
    await bench.perform(async (task) => {
      await bench.dm.suspend("md", task, { noflush: true });
      await bench.dm.resume("md", task);
    });
    expect(sent).toMatchObject(ok);
  });
});
