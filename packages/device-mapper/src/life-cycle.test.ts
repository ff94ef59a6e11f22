import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError, MapResult } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };

describe("while a device is suspended", () => {
  it("bios wait, and go on in the order in which they came", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    await bench.perform((task) => bench.dm.suspend("md", task));
    const sent = [
      await bench.send("md", BioOp.Write, 0, 4),
      await bench.send("md", BioOp.Write, 8, 4),
    ];
    expect(bench.a.log).toEqual([]);
    await bench.perform((task) => bench.dm.resume("md", task));
    expect(bench.a.log).toEqual(["WRITE 0+4", "WRITE 8+4"]);
    expect(sent).toMatchObject([ok, ok]);
  });

  it("a bio that must not wait ends with Again, a read-ahead with an error", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    await bench.perform((task) => bench.dm.suspend("md", task));
    const noWait = await bench.send("md", BioOp.Read, 0, 4, BioFlag.NoWait);
    const ahead = await bench.send("md", BioOp.Read, 0, 4, BioFlag.ReadAhead);
    expect([noWait.status, ahead.status]).toEqual([BioStatus.Again, BioStatus.IoError]);
  });

  it("another table may be loaded, and what waited goes there", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    await bench.perform((task) => bench.dm.suspend("md", task));
    const sent = await bench.send("md", BioOp.Write, 0, 4);
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 32 probe b 8", task);
      expect(bench.dm.get("md").sizeSectors).toBe(16);
      await bench.dm.resume("md", task);
    });
    expect(sent).toMatchObject(ok);
    expect([bench.a.log, bench.b.log]).toEqual([[], ["WRITE 8+4"]]);
    expect(bench.dm.get("md").sizeSectors).toBe(32);
  });

  it("the data of a flush that had begun waits too", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    bench.a.isHolding = true;
    const sent = await bench.send("md", BioOp.Write, 0, 4, BioFlag.Preflush);
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    bench.a.endAll();
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect(bench.a.log).toEqual(["flush"]);
    await bench.perform((task) => bench.dm.resume("md", task));
    expect(bench.a.log).toEqual(["flush", "WRITE 0+4"]);
    expect(sent).toMatchObject(ok);
  });

  it("its removal fails what waits", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    await bench.perform((task) => bench.dm.suspend("md", task));
    const sent = await bench.send("md", BioOp.Write, 0, 4);
    await bench.perform((task) => bench.dm.remove("md", task));
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
    expect(bench.dm.list()).toEqual([]);
  });
});

describe("a suspend", () => {
  it("waits for bios in flight, and lets none in meanwhile", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    bench.a.isHolding = true;
    const early = await bench.send("md", BioOp.Write, 0, 4);
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    const late = await bench.send("md", BioOp.Write, 8, 4);
    expect(bench.dm.info("md").isSuspended).toBe(false);
    bench.a.endAll();
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect([early.ends, late.ends]).toEqual([1, 0]);
    expect(bench.dm.get("md").inFlight.count).toBe(0);
  });

  it("waits for a task that sleeps inside a map", async () => {
    const type = probeType({
      async map(bio, target, task) {
        await task.scheduler.sleep(task, { label: "a nap", blockers: () => [] }, 100);
        return target.sendDown(bio);
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 16 probe a 0");
    const sent = await bench.send("md", BioOp.Write, 0, 4);
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(false);
    await bench.scheduler.advance(100);
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect(sent).toMatchObject(ok);
  });

  it("waits for a task that is inside but has no clone yet", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const bench = new Bench({ scheduler, memory, poolSize: 1 });
    await bench.create("md", "0 16 probe a 0");
    memory.faultPlan = { fails: () => true };
    bench.a.isHolding = true;
    const first = await bench.send("md", BioOp.Write, 0, 4);
    const second = await bench.send("md", BioOp.Write, 8, 4);
    scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task));
    await scheduler.run();
    bench.a.endOne();
    await scheduler.run();
    expect([first.ends, second.ends, bench.a.held.length]).toEqual([1, 0, 1]);
    expect(bench.dm.info("md").isSuspended).toBe(false);
    bench.a.endAll();
    await scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect(second).toMatchObject(ok);
  });

  it("twice is once, and so is a resume", async () => {
    const events: string[] = [];
    const bench = new Bench({ types: [probeType({ event: (what) => events.push(what) })] });
    await bench.create("md", "0 16 probe a 0");
    await bench.perform(async (task) => {
      for (const command of ["suspend", "suspend", "resume", "resume"] as const) {
        await bench.dm[command]("md", task);
      }
    });
    const restart = ["preresume", "resume"];
    expect(events).toEqual([...restart, "presuspend", "postsuspend", ...restart]);
  });

  it("that a target refuses is undone, and bios go on", async () => {
    const events: string[] = [];
    const type = probeType({
      event(what, begin) {
        events.push(`${what} ${String(begin)}`);
        if (what === "presuspend" && begin === 8) {
          throw new BlockError("BLK_STATE", "EBUSY", "not now");
        }
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
    events.length = 0;
    await bench.perform(async (task) => {
      await expect(bench.dm.suspend("md", task)).rejects.toThrow("not now");
    });
    const undone = ["presuspendUndo 0", "presuspendUndo 8"];
    expect(events).toEqual(["presuspend 0", "presuspend 8", ...undone]);
    expect(await bench.send("md", BioOp.Write, 0, 4)).toMatchObject(ok);
  });
});

describe.each([frontClone, remainderClone, loop])("pushed back, cut by $name", (splitPolicy) => {
  it("three bios come first after the resume, in order, and reach the new device", async () => {
    const held: (() => void)[] = [];
    const type = probeType({
      map: (bio) => {
        held.push(() => bio.endIo?.(bio));
        return MapResult.Submitted;
      },
      endIo: () => 2,
    });
    const bench = new Bench({ splitPolicy, types: [type, probeType({}, "other")] });
    await bench.create("md", "0 16 probe a 0");
    const sent = [];
    for (const sector of [0, 4, 8]) sent.push(await bench.send("md", BioOp.Write, sector, 4));
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task, { noflush: true }));
    await bench.scheduler.run();
    sent.push(await bench.send("md", BioOp.Write, 12, 4));
    for (const giveBack of held) giveBack();
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect(bench.dm.get("md").deferred.count).toBe(4);
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 16 other b 0", task);
      await bench.dm.resume("md", task);
    });
    expect(bench.b.log).toEqual(["WRITE 0+4", "WRITE 4+4", "WRITE 8+4", "WRITE 12+4"]);
    expect(sent).toMatchObject([ok, ok, ok, ok]);
  });

  it("a piece of a bio comes again alone: the others were written already", async () => {
    let isRefusing = false;
    const refusing = probeType(
      { map: () => (isRefusing ? MapResult.Requeue : undefined) },
      "choosy",
    );
    const bench = new Bench({ splitPolicy, types: [probeType(), refusing] });
    await bench.create("md", "0 4 probe a 0", "4 4 choosy a 4", "8 4 probe a 8");
    bench.a.isHolding = true;
    const blocker = await bench.send("md", BioOp.Write, 0, 4);
    // The suspend waits for the blocker; bios that are inside already are mapped meanwhile.
    const gate = bench.prepare("md", BioOp.Write, 0, 12);
    isRefusing = true;
    bench.scheduler.spawn("write", async (task) => {
      bench.dm.get("md").isPushingBack = true;
      await bench.submitter.submitBio(gate.bio, task);
    });
    await bench.scheduler.run();
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task, { noflush: true }));
    await bench.scheduler.run();
    bench.a.endAll();
    await bench.scheduler.run();
    expect(bench.a.log).toEqual(["WRITE 0+4", "WRITE 0+4", "WRITE 8+4"]);
    expect(gate.ends).toBe(0);
    isRefusing = false;
    await bench.perform((task) => bench.dm.resume("md", task));
    expect(bench.a.log.slice(3)).toEqual(["WRITE 4+4"]);
    expect([blocker, gate]).toMatchObject([ok, ok]);
  });
});

describe("a resume", () => {
  it("with a table that its devices are too small for is refused; the old one stays", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 16 probe b 60", task);
      await expect(bench.dm.resume("md", task)).rejects.toMatchObject({ errno: "EINVAL" });
      expect(bench.dm.info("md")).toMatchObject({ isSuspended: true, hasInactiveTable: false });
      await bench.dm.resume("md", task);
    });
    expect(await bench.send("md", BioOp.Read, 0, 4)).toMatchObject(ok);
  });

  it("that a new target refuses leaves the new table, suspended, and the old destroyed", async () => {
    const events: string[] = [];
    const old = probeType({ event: (what) => events.push(what) }, "old");
    const choosy = probeType({
      event(what) {
        if (what === "preresume") throw new BlockError("BLK_STATE", "EIO", "not so");
      },
    });
    const bench = new Bench({ types: [old, choosy] });
    await bench.create("md", "0 16 old a 0");
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 8 probe b 0", task);
      await expect(bench.dm.resume("md", task)).rejects.toThrow("not so");
    });
    expect(events.at(-1)).toBe("destroy");
    expect(bench.dm.info("md").isSuspended).toBe(true);
    expect(bench.dm.table("md")).toEqual(["0 8 probe 7:16 0"]);
  });

  it("without any table is refused once the device is suspended, and else means nothing", async () => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      await bench.dm.create("md", task);
      await bench.dm.resume("md", task);
      await bench.dm.suspend("md", task);
      await expect(bench.dm.resume("md", task)).rejects.toMatchObject({ errno: "EINVAL" });
    });
  });
});
