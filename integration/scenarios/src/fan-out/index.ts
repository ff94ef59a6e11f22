import { BioFlag, BioOp } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import { type FanOutPolicy, oneByOne, wholeSets } from "@blkstack/device-mapper";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { allFail } from "@blkstack/memory";
import { DmSetting } from "../dm/setting.ts";
import { scenarioOf, type Story } from "../story.ts";

const TWO_LINES = ["0 8 linear sda 0", "8 8 linear sdb 0"];
const FLUSHERS = ["flusher-1", "flusher-2"];

/** The lock is held for a moment only: whoever waits for a clone lets others take one meanwhile. */
const lockForEach: FanOutPolicy = {
  ...wholeSets,
  async allocAll(clones, count, task) {
    const taken = [];
    while (taken.length < count) {
      await clones.lock.lock(task);
      clones.lock.unlock(task);
      const clone = await clones.alloc(task);
      if (clone !== null) taken.push(clone);
    }
    return taken;
  },
};

/** Whoever waits for the lock has clones for an earlier target parked, for which its holder waits. */
const keepsParked: FanOutPolicy = {
  ...wholeSets,
  allocAll(clones, count, task) {
    return wholeSets.allocAll({ ...clones, rescueParked: () => undefined }, count, task);
  },
};

const withReserve = (policy: FanOutPolicy, bios: number): FanOutPolicy => ({
  ...policy,
  reserve: () => bios,
});

/** Flushes that need several bios at once, as many as there are. */
export const fanOut: Scenario = scenarioOf(
  "fan-out",
  "two flushes need as many clones each as are in reserve, and there is no memory",
  {
    "whole-sets": flushing(wholeSets, "ok", "one flush at a time waits with some of its clones"),
    "one-by-one": flushing(
      oneByOne,
      "DEADLOCK",
      "as until 4.13: each flush has one of two clones, and waits for the other's",
    ),
    "lock-for-each": flushing(
      lockForEach,
      "DEADLOCK",
      "M11: the lock is let go of between one clone and the next",
    ),
    "reserve-too-small": flushing(
      withReserve(wholeSets, 1),
      "DEADLOCK",
      "M11: one flush needs more clones than are in reserve, and waits for itself",
    ),
    "two-targets": flushing(
      withReserve(wholeSets, 1),
      "ok",
      "a clone for each of two targets: the first is on its way before the lock is waited for",
      TWO_LINES,
    ),
    "two-targets-parked": flushing(
      withReserve(keepsParked, 1),
      "DEADLOCK",
      "whoever waits for the lock has parked the clone that its holder waits for",
      TWO_LINES,
    ),
  },
);

function flushing(
  policy: FanOutPolicy,
  expect: Expectation,
  summary: string,
  table: readonly string[] = ["0 8 twin sda"],
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const options = { fanOut: policy, poolSize: 2, types: [twin], isShortOfBios: true };
      const setting = new DmSetting(world, options);
      setting.disk("sda", { hasVolatileCache: true });
      setting.disk("sdb", { hasVolatileCache: true });
      const device = await setting.create("top", ...table);
      const { pools, submitters, inFlight } = setting.dm.get("top");
      // One account for each flusher, and nobody who waits until there are no bios.
      for (const object of [pools?.ios.bioPool, submitters, inFlight]) {
        if (object !== undefined) world.ignore(object);
      }
      setting.memory.faultPlan = allFail;
      const flush = { device, op: BioOp.Write, sector: 0, sectors: 0, flags: BioFlag.Preflush };
      for (const name of FLUSHERS) setting.spawn(name, flush);
    },
  };
}

/** Has each flush twice, as a merging snapshot has: one for each of its devices. */
const twin: TargetType = defineTarget({
  name: "twin",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    const device = context.openDevice(context.args[0] ?? "");
    return {
      flushBios: 2,
      map(bio) {
        bio.device = device;
        return MapResult.Remapped;
      },
      status: () => "",
      devices: () => [{ device, startSector: 0, sizeSectors: context.sizeSectors }],
    };
  },
});
