import { BioOp, BioStatus } from "@blkstack/bio";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { allFail, failsAt, Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { ArrayDisk } from "../test/array-disk.ts";
import { Bench } from "../test/bench.ts";

/** Devices over disks that take few sectors at once, and cut what is too large for them. */
function narrowBench(): { bench: Bench; split: SplitSetPerDevice } {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler });
  const split = new SplitSetPerDevice({ scheduler, memory });
  const bench = new Bench({ scheduler, memory, submitter: new MakeRequest({ split }) });
  for (const name of ["narrow", "lined"]) {
    const limits = name === "narrow" ? { maxSectors: 8 } : { chunkSectors: 8 };
    bench.disks.set(name, new ArrayDisk(name, 64, { limits }));
  }
  return { bench, split };
}

it.each(["0 32 probe narrow 0", "0 32 probe lined 4", "0 5 probe lined 4\n5 27 probe narrow 1"])(
  "a bio that must be cut gets through %j also when memory ran out before the first of its kind",
  async (table) => {
    const { bench } = narrowBench();
    await bench.create("md", table);
    await bench.create("top", "0 32 probe md 0");
    bench.memory.faultPlan = allFail;
    for (const name of ["md", "top"]) {
      expect(await bench.send(name, BioOp.Write, 0, 32)).toMatchObject({
        ends: 1,
        status: BioStatus.Ok,
      });
    }
  },
);

it("a device is not made for whose bios there is no memory to be cut", async () => {
  const { bench } = narrowBench();
  await bench.perform(async (task) => {
    bench.memory.faultPlan = allFail;
    await expect(bench.dm.create("md", task)).rejects.toMatchObject({ errno: "ENOMEM" });
    bench.memory.faultPlan = null;
    await bench.dm.create("md", task);
  });
});

it("what was kept to cut the bios of a device goes with the device", async () => {
  const { bench, split } = narrowBench();
  await bench.create("md", "0 32 probe narrow 0");
  const md = bench.dm.get("md");
  const kept = split.setOf(md);
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(split.setOf(md)).not.toBe(kept);
});

it.each(["bios of md-io", "bios of md-clone", "bios of md-split"])(
  "a resume that gets no memory for %s leaves all as it was, to be resumed with once there is some",
  async (site) => {
    const bench = new Bench();
    const { dm, memory } = bench;
    await bench.create("md", "0 32 probe a 0");
    await bench.perform((task) => dm.load("md", "0 32 probe b 0", task));
    const reserves = memory.reserves.size;
    await bench.perform(async (task) => {
      memory.faultPlan = failsAt([site]);
      await expect(dm.resume("md", task)).rejects.toMatchObject({ errno: "ENOMEM" });
      memory.faultPlan = null;
    });
    expect(memory.reserves.size).toBe(reserves);
    expect(dm.info("md")).toMatchObject({ isSuspended: true, hasInactiveTable: true });
    expect(dm.deps("md")).toEqual(["7:0"]);
    await bench.perform((task) => dm.resume("md", task));
    expect(dm.info("md")).toMatchObject({ isSuspended: false, hasInactiveTable: false });
    expect(dm.deps("md")).toEqual(["7:16"]);
    expect(await bench.send("md", BioOp.Write, 0, 32)).toMatchObject({ status: BioStatus.Ok });
  },
);
