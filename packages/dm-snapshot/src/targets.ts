import { defineTarget, type TargetType } from "@blkstack/block";
import { BioData } from "./bio-data.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { OriginTarget } from "./origin-target.ts";
import { turnPolicyOf } from "./origin-turn.ts";
import { Origins } from "./origins.ts";
import { SNAPSHOT_POLICIES, type SnapshotPolicies } from "./policies.ts";

/** The three kinds of targets, which only work together. */
export interface SnapshotTargets {
  readonly snapshot: TargetType;
  readonly snapshotOrigin: TargetType;
  readonly snapshotMerge: TargetType;
}

/** Makes the targets as they were at other times. Not given: the best that is known. */
export function snapshotTargets(changes: Partial<SnapshotPolicies> = {}): SnapshotTargets {
  const policies = { ...SNAPSHOT_POLICIES, ...changes };
  const snapshot = defineTarget({
    name: "snapshot",
    version: [1, 16, 0],
    apiVersion: 1,
    createPerBioData: () => new BioData(),
    create: (context) => createSnapshot(context, { policies, isMerging: false }),
  });
  const snapshotMerge = defineTarget({
    name: "snapshot-merge",
    version: [1, 5, 0],
    apiVersion: 1,
    createPerBioData: () => new BioData(),
    create: (context) => createSnapshot(context, { policies, isMerging: true }),
  });
  const snapshotOrigin = defineTarget({
    name: "snapshot-origin",
    version: [1, 9, 0],
    apiVersion: 1,
    create(context) {
      const [device, ...more] = context.args;
      if (device === undefined || more.length > 0) {
        throw context.error("origin: incorrect number of arguments");
      }
      const origin = context.openDevice(device, "Cannot get target device");
      const turn = turnPolicyOf(policies.cowThrottle);
      return new OriginTarget(origin, context.shared(Origins), context, turn);
    },
  });
  return { snapshot, snapshotOrigin, snapshotMerge };
}

const TARGETS: SnapshotTargets = snapshotTargets();

/** An image of a device as it was, which can be written to. */
export const snapshot: TargetType = TARGETS.snapshot;
/** The way to a device that has snapshots. */
export const snapshotOrigin: TargetType = TARGETS.snapshotOrigin;
/** A snapshot that is brought back into its origin. */
export const snapshotMerge: TargetType = TARGETS.snapshotMerge;
