import type { BioSet, BioSetOptions } from "@blkstack/bio-set";
import type { World } from "@blkstack/explorer";
import type { MakeRequestOptions } from "@blkstack/make-request";
import { WorkerPool, WorkQueue } from "@blkstack/task";
import { Setting } from "./setting.ts";
import { spawnWriter, Splitter } from "./stack.ts";

export interface TwoLevels {
  /** How many bios the upper set has in reserve; the lower one has 1. */
  readonly upperReserve: number;
  readonly upper?: Partial<BioSetOptions>;
  readonly lower?: Partial<BioSetOptions>;
  readonly way?: MakeRequestOptions;
}

/** One writer upon a driver upon a driver, each of which cuts in two, each with its own set. */
export function twoLevels(world: World, options: TwoLevels): void {
  const { upperReserve, upper = {}, lower = {}, way = {} } = options;
  const setting = new Setting(world, way);
  stack(
    setting,
    setting.bioSet({ name: "U", poolSize: upperReserve, ...upper }),
    setting.bioSet({ name: "L", poolSize: 1, ...lower }),
  );
}

/** The same with one set for both. */
export function sharedSet(world: World): void {
  const setting = new Setting(world);
  const both = setting.bioSet({ name: "both", poolSize: 1 });
  stack(setting, both, both);
}

/** The same with one rescue queue for both sets. */
export function sharedRescuer(world: World): void {
  const { scheduler } = world;
  const options = { scheduler, name: "rescue", reclaimGuaranteed: true, maxActive: 1 };
  const rescueQueue = new WorkQueue(options);
  const shared = { rescueQueue };
  twoLevels(world, { upperReserve: 1, upper: shared, lower: shared });
}

/** The same where there is no memory for a worker, so that only guaranteed queues run. */
export function withoutWorkers(world: World, reclaimGuaranteed: boolean): void {
  const { scheduler } = world;
  const pool = new WorkerPool({ canCreateWorker: () => false });
  const queueFor = (name: string): Partial<BioSetOptions> => ({
    rescueQueue: new WorkQueue({ scheduler, name, reclaimGuaranteed, maxActive: 1, pool }),
  });
  twoLevels(world, {
    upperReserve: 1,
    upper: queueFor("rescue U"),
    lower: queueFor("rescue L"),
  });
}

/**
 * Two drivers of one module with one set between them: the upper one sends a piece to the lower
 * one and a piece to the disk, in one call; the lower one needs one more.
 */
export function sameModule(world: World, set: Partial<BioSetOptions>): void {
  const setting = new Setting(world);
  const { submitter, disk } = setting;
  const shared = setting.bioSet({ name: "module", poolSize: 2, ...set });
  const lower = new Splitter(
    { world, name: "lower", set: shared, submitter, pieces: [{ to: disk, sizeSectors: 4 }] },
    disk,
  );
  const pieces = [lower, disk].map((to) => ({ to, sizeSectors: 4 }));
  const upper = new Splitter({ world, name: "upper", set: shared, submitter, pieces }, disk);
  spawnWriter(world, "submitter-1", { submitter, device: upper, sector: 0 });
  setting.exhaustMemory();
}

function stack(setting: Setting, upperSet: BioSet, lowerSet: BioSet): void {
  const { submitter, disk, world } = setting;
  const toDisk = [2, 2].map((sizeSectors) => ({ to: disk, sizeSectors }));
  const lower = new Splitter(
    { world, name: "lower", set: lowerSet, submitter, pieces: toDisk },
    disk,
  );
  const toLower = [4, 4].map((sizeSectors) => ({ to: lower, sizeSectors }));
  const upper = new Splitter(
    { world, name: "upper", set: upperSet, submitter, pieces: toLower },
    disk,
  );
  spawnWriter(world, "submitter-1", { submitter, device: upper, sector: 0 });
  setting.exhaustMemory();
}
