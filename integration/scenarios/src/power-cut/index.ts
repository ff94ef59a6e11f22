import type { TargetType } from "@blkstack/block";
import { RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import { type SnapshotPolicies, snapshotTargets } from "@blkstack/dm-snapshot";
import { defineScenario, type Scenario, VolatileCache } from "@blkstack/explorer";
import type { Scheduler } from "@blkstack/task";
import { originTag, sectorFullOf } from "./contents.ts";
import { leaveDebris, prepareStore } from "./cow-device.ts";
import { withHurriedFlushes } from "./hurried-flush.ts";
import { Machine } from "./machine.ts";
import { complaintAbout, recover } from "./recovered.ts";
import { Session } from "./session.ts";
import {
  hurriedHeader,
  hurriedMark,
  type Tamper,
  TamperingDisk,
  withoutClearing,
  withoutPreflush,
} from "./tampering-disk.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

interface Setting {
  readonly workload: Workload;
  readonly policies?: Partial<SnapshotPolicies>;
  readonly features?: string;
  /** A snapshot made wrong on purpose. */
  readonly spoil?: (snapshot: TargetType) => TargetType;
  /** What the disk of the store does wrong. */
  readonly tamper?: Tamper;
}

const SECOND_AREA_SECTOR = 34;
const BEHIND = { workload: WORKLOADS["partial-chunks"], features: " 1 write_behind" };

const SETTINGS: Readonly<Record<string, Setting>> = {
  ...Object.fromEntries(Object.entries(WORKLOADS).map(([name, workload]) => [name, { workload }])),
  "written-behind": BEHIND,
  "committed-as-copied": {
    workload: WORKLOADS["three-copies"],
    policies: { commits: "as-copied" },
  },
  "entries-unflushed": { workload: WORKLOADS["three-copies"], tamper: withoutPreflush(1) },
  "header-hurried": { workload: WORKLOADS["three-copies"], tamper: hurriedHeader },
  "area-not-cleared": {
    workload: WORKLOADS["next-area"],
    tamper: withoutClearing(SECOND_AREA_SECTOR),
  },
  "merge-unflushed": { workload: WORKLOADS.merge, policies: { mergeFlush: false } },
  "mark-unflushed": { workload: WORKLOADS.overflow, tamper: hurriedMark },
  "flush-hurried": { ...BEHIND, spoil: withHurriedFlushes },
};

/** Power cuts under snapshots: what may be lost, and what must not. */
export const powerCut: Scenario = defineScenario({
  name: "power-cut",
  summary: "the power fails while a snapshot and its origin are written",
  variants: {
    "three-copies": { expect: "ok", summary: "copies that end in any order" },
    "next-area": { expect: "ok", summary: "both are written, and the store begins its next area" },
    "partial-chunks": { expect: "ok", summary: "parts of chunks, torn anywhere" },
    merge: { expect: "ok", summary: "a merge from start to end, and writes beside it" },
    overflow: { expect: "ok", summary: "the store is too small: no snapshot, or a right one" },
    "written-behind": {
      expect: "ok",
      summary: "the same parts of chunks, whose writes end before they are committed",
    },
    "committed-as-copied": {
      expect: "CORRUPTION",
      summary: "exceptions in the order of their copies' ends, which leaves holes",
    },
    "entries-unflushed": {
      expect: "CORRUPTION",
      summary: "entries before what they name: no flush in between",
    },
    "header-hurried": {
      expect: "CORRUPTION",
      summary: "a header that may land before the first area is clear",
    },
    "area-not-cleared": {
      expect: "CORRUPTION",
      summary: "the next area is begun over what lies there",
    },
    "merge-unflushed": {
      expect: "CORRUPTION",
      summary: "chunks are forgotten that the origin has not kept yet",
    },
    "mark-unflushed": {
      expect: "CORRUPTION",
      summary: "the mark as invalid is lost, and what followed it is not",
    },
    "flush-hurried": {
      expect: "LOST_WRITE",
      summary: "writes end before they are committed, and a flush does not wait for that",
    },
  },
  build(world, variant) {
    const setting = SETTINGS[variant];
    if (setting === undefined) throw new RangeError(`no setting ${variant}`);
    const { workload, policies = {}, features, tamper = () => true } = setting;
    const { spoil = (target: TargetType): TargetType => target } = setting;
    const caches = { origin: new VolatileCache("origin"), cow: new VolatileCache("cow") };
    const { scheduler } = world;
    const disks = {
      origin: originDisk(workload, { scheduler, writeCache: caches.origin }),
      cow: storeDisk(workload, (options) => new TamperingDisk(options, tamper), {
        scheduler,
        writeCache: caches.cow,
      }),
    };
    const { snapshot, ...others } = snapshotTargets(policies);
    const targets = [spoil(snapshot), ...Object.values<TargetType>(others)];
    const { chunkSectors } = workload;
    const options = features === undefined ? {} : { features };
    const machine = new Machine({ scheduler, targets, chunkSectors, ...options, ...disks });
    const session = new Session(world, machine, workload);
    world.powerCuts({
      disks: [caches.origin, caches.cow],
      promises: [session.base, session.snap],
      circumstances: () => (session.mayBeInvalid ? "full" : ""),
      recover: (image) => recover(image, workload, (scheduler) => freshDisks(workload, scheduler)),
      check: (seen, cut) => complaintAbout(seen, cut, workload),
    });
    world.spawn("administrator", async (task) => {
      if (workload.target === "snapshot") await machine.createOrigin(task);
      await machine.createSnapshot(task, workload.target);
      workload.start(session);
    });
  },
});

type DiskOptions = Pick<RamDiskOptions, "scheduler" | "writeCache">;

function freshDisks(
  workload: Workload,
  scheduler: Scheduler,
): Readonly<Record<"origin" | "cow", RamDisk>> {
  const cow = storeDisk(workload, (options) => new RamDisk(options), { scheduler });
  return { origin: originDisk(workload, { scheduler }), cow };
}

function originDisk({ originSectors }: Workload, options: DiskOptions): RamDisk {
  const disk = new RamDisk({ name: "origin", sizeSectors: originSectors, ...options });
  for (let at = 0; at < originSectors; at += 1) disk.poke(at, sectorFullOf(originTag(at)));
  return disk;
}

function storeDisk(
  { cowSectors, chunkSectors, ownChunks }: Workload,
  make: (options: RamDiskOptions) => RamDisk,
  options: DiskOptions,
): RamDisk {
  const disk = make({ name: "cow", sizeSectors: cowSectors, ...options });
  // The last chunk never gets data of its own in these stories.
  leaveDebris(disk, Math.floor(cowSectors / chunkSectors) - 1);
  if (ownChunks !== null) prepareStore(disk, chunkSectors, ownChunks);
  return disk;
}
