import { type Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { EndIoResult, MapResult } from "@blkstack/block";
import { allFail } from "@blkstack/memory";
import type { Awaitable, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench, type Sent } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const POLICIES = [frontClone, remainderClone, loop];
const ok = { ends: 1, status: BioStatus.Ok };
const failed = { ends: 1, status: BioStatus.IoError };

/** Hands a bio straight to the driver, as nobody does who goes by a submitter. */
async function sendToDriver(bench: Bench, sent: Sent): Promise<void> {
  const { bio } = sent;
  await bench.perform(async (task) => bench.dm.get("md").submitBio(bio, task));
}

describe.each(POLICIES)("cut by $name", (splitPolicy) => {
  it.each([
    ["a read", BioOp.Read, 0, 4],
    ["a write over two lines", BioOp.Write, 4, 8],
    ["a write over three lines", BioOp.Write, 4, 16],
    ["a flush", BioOp.Flush, 0, 0],
    ["a discard of which there are three", BioOp.Discard, 0, 4],
  ])("%s that waits for nothing makes no promise", async (_what, op, sector, sectors) => {
    const bench = new Bench({ splitPolicy, types: [probeType({ copies: 3, flushes: 2 })] });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0", "16 8 probe a 8");
    const sent = bench.prepare("md", op, sector, sectors);
    await bench.scheduler.perform("sender", (task) => {
      expect(bench.submitter.submitBio(sent.bio, task)).toBeUndefined();
    });
    expect(sent).toMatchObject(ok);
  });

  it("what lies beyond the end fails, and nothing is left of it", async () => {
    const bench = new Bench({ splitPolicy });
    await bench.create("md", "0 4 probe a 0", "4 4 probe b 0");
    for (const [sector, sectors] of [
      [8, 4],
      [6, 4],
    ] as const) {
      const sent = bench.prepare("md", BioOp.Write, sector, sectors);
      await sendToDriver(bench, sent);
      expect(sent).toMatchObject(failed);
    }
    const { pools, inFlight } = bench.dm.get("md");
    expect([pools?.liveCount, inFlight.count]).toEqual([0, 0]);
    expect([bench.a.log, bench.b.log]).toEqual([[], ["WRITE 2+2"]]);
  });

  it("what one of two lines cannot do fails, and the other has done it", async () => {
    const bench = new Bench({ splitPolicy, types: [probeType(), probeType({ copies: 0 }, "no")] });
    await bench.create("md", "0 4 probe a 0", "4 4 no b 0");
    const sent = bench.prepare("md", BioOp.Discard, 2, 4);
    await sendToDriver(bench, sent);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.NotSupported });
    expect([bench.a.log, bench.b.log]).toEqual([["DISCARD 2+2"], []]);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it("each of two lines gets all its copies of what lies on both", async () => {
    const copies: string[] = [];
    const type = probeType({
      copies: 2,
      map: (bio, target) => {
        copies.push(`${target.device.name} ${String(target.context.copyIndex(bio))}`);
        return undefined;
      },
    });
    const bench = new Bench({ splitPolicy, types: [type] });
    await bench.create("md", "0 4 probe a 0", "4 4 probe b 0");
    expect(await bench.send("md", BioOp.Discard, 2, 4)).toMatchObject(ok);
    expect(copies).toEqual(["a 0", "a 1", "b 0", "b 1"]);
    expect([bench.a.log, bench.b.log]).toEqual([
      ["DISCARD 2+2", "DISCARD 2+2"],
      ["DISCARD 0+2", "DISCARD 0+2"],
    ]);
  });
});

describe.each(["at once", "after a nap"])("a target that answers %s", (when) => {
  const answer = (result: MapResult, task: Task): Awaitable<MapResult> => {
    if (when === "at once") return result;
    const nap = { label: "a nap", blockers: () => [] };
    return task.scheduler.sleep(task, nap, 0).then(() => result);
  };

  it.each([
    [MapResult.Remapped, ok, ["WRITE 2+4"]],
    [MapResult.Kill, failed, []],
    [MapResult.Requeue, failed, []],
  ])("%i has its way", async (result, outcome, log) => {
    const type = probeType({
      map(bio, target, task) {
        target.sendDown(bio);
        return answer(result, task);
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    expect(await bench.send("md", BioOp.Write, 2, 4)).toMatchObject(outcome);
    expect(bench.a.log).toEqual(log);
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });

  it("that it has the bio ends it when it likes, and cannot accept a part of it any more", async () => {
    const kept: Bio[] = [];
    const complaints: unknown[] = [];
    const type = probeType({
      map(bio, { context }, task) {
        kept.push(bio);
        context.task.scheduler.startTimer(
          {
            label: "later",
            isRetry: false,
            blockers: () => [],
            fire() {
              try {
                context.acceptPartial(bio, 1);
              } catch (error) {
                complaints.push(error);
              }
            },
          },
          10,
        );
        return answer(MapResult.Submitted, task);
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    const sent = await bench.send("md", BioOp.Write, 2, 4);
    await bench.scheduler.advance(10);
    expect(complaints).toMatchObject([{ message: "a part can be accepted inside map only" }]);
    expect(sent.ends).toBe(0);
    for (const bio of kept) bio.endIo?.(bio);
    expect(sent).toMatchObject(ok);
  });

  it("what nobody knows is told of", async () => {
    const unknown = 7 as MapResult;
    const type = probeType({ map: (_bio, _target, task) => answer(unknown, task) });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    const sent = bench.send("md", BioOp.Write, 2, 4);
    await expect(sent).rejects.toThrow("a target answered 7 from map");
  });

  it("that a bio is to fail has it fail, also while bios are wanted back", async () => {
    const type = probeType({ map: (_bio, _target, task) => answer(MapResult.Kill, task) });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0");
    bench.dm.get("md").isPushingBack = true;
    expect(await bench.send("md", BioOp.Write, 2, 4)).toMatchObject(failed);
  });
});

it("a bio whose target sees it end may come back from there, or fail", async () => {
  const results: EndIoResult[] = [EndIoResult.Requeue, EndIoResult.Done];
  const bench = new Bench({
    types: [probeType({ endIo: () => results.shift() ?? EndIoResult.Done })],
  });
  await bench.create("md", "0 8 probe a 0");
  expect(await bench.send("md", BioOp.Write, 2, 4)).toMatchObject(failed);
  expect(await bench.send("md", BioOp.Write, 2, 4)).toMatchObject(ok);
});

describe.each([undefined, 1])("without memory (seed %o)", (seed) => {
  it("a bio that must not wait for a clone ends with Again, any other waits", async () => {
    const scheduler = new VirtualScheduler(seed === undefined ? {} : { seed });
    const bench = new Bench({ scheduler, poolSize: 1 });
    await bench.create("md", "0 16 probe a 0");
    bench.memory.faultPlan = allFail;
    bench.a.isHolding = true;
    const first = await bench.send("md", BioOp.Write, 0, 4);
    const hasty = await bench.send("md", BioOp.Write, 4, 4, BioFlag.NoWait);
    const patient = await bench.send("md", BioOp.Write, 8, 4);
    expect(hasty).toMatchObject({ ends: 1, status: BioStatus.Again });
    expect([first.ends, patient.ends]).toEqual([0, 0]);
    bench.a.endAll();
    await scheduler.run();
    expect([first, patient]).toMatchObject([ok, ok]);
    expect(bench.a.log).toEqual(["WRITE 0+4", "WRITE 8+4"]);
  });
});
