import { BlockError, type Target, type TargetContext } from "@blkstack/block";
import { DmIoClient, KcopydClient } from "@blkstack/kcopyd";
import { Memory, PageAllocator } from "@blkstack/memory";
import { DeviceCowIo } from "./device-cow-io.ts";
import { type ExceptionStore, LoadResult } from "./exception-store.ts";
import { refusePairing } from "./handover.ts";
import { MergeTarget } from "./merge-target.ts";
import { Origins } from "./origins.ts";
import type { SnapshotPolicies } from "./policies.ts";
import { Snapshot } from "./snapshot.ts";
import { parseArguments, type SnapshotArguments } from "./snapshot-arguments.ts";
import { SnapshotLine } from "./snapshot-line.ts";
import { SnapshotTarget } from "./snapshot-target.ts";
import { createStore } from "./create-store.ts";

/** The most pages that the copies of one snapshot have at a time: 4 MiB. */
const COPY_PAGES_MAX = 1024;

interface Kind {
  readonly policies: SnapshotPolicies;
  readonly isMerging: boolean;
}

/** Makes a `snapshot` or a `snapshot-merge`. Throws what `context.error` makes. Waits: for the store. */
export async function createSnapshot(context: TargetContext, kind: Kind): Promise<Target> {
  const given = parseArguments(context);
  const origins = context.shared(Origins);
  const snapshot = prepare(context, given, { origins, ...kind });
  try {
    const { origin, cow, io } = snapshot;
    const store = createStore(new DeviceCowIo(origin, cow, io), given, context);
    const { lock } = snapshot.originRecord;
    const isLocked = kind.policies.cowThrottle === "under-origins-lock";
    if (isLocked) await lock.writeLock(context.task);
    const isTakingOver = origins.sharing(cow).length > 0;
    try {
      refusePairing(snapshot, origins, context);
      // Before anything waits: whoever comes meanwhile must find the store taken.
      origins.add(snapshot);
    } finally {
      if (isLocked) lock.writeUnlock(context.task);
    }
    if (!isTakingOver) await load(snapshot, store, context);
  } catch (error) {
    origins.remove(snapshot);
    await snapshot.destroy(context.task);
    origins.release(snapshot.originRecord);
    throw error;
  }
  const line = new SnapshotLine(snapshot, origins, context, given);
  return kind.isMerging ? new MergeTarget(line) : new SnapshotTarget(line);
}

function prepare(
  context: TargetContext,
  given: SnapshotArguments,
  { origins, policies, isMerging }: Kind & { readonly origins: Origins },
): Snapshot {
  const { scheduler, submitter, host } = context;
  const device = context.openDevice(given.origin, "Cannot get origin device");
  const cow = context.openDevice(given.cow, "Cannot get COW device");
  if (cow === device) throw context.error("COW device cannot be the same as origin device");
  const memory = context.service(Memory);
  const name = context.deviceName;
  const label = `pages of copies of ${name}`;
  const pages = new PageAllocator({ memory, limitPages: COPY_PAGES_MAX, label });
  return new Snapshot({
    name,
    origin: origins.claim(device),
    cow,
    endSector: context.begin + context.sizeSectors,
    isMerging,
    isWrittenBehind: given.writeBehind && !isMerging,
    policies,
    scheduler,
    submitter,
    memory,
    host,
    pages,
    copier: new KcopydClient({ name, scheduler, memory, submitter, pages }),
    io: new DmIoClient({ name, scheduler, memory, submitter }),
  });
}

/** Reads what the store has, or makes it. */
async function load(
  snapshot: Snapshot,
  store: ExceptionStore,
  context: TargetContext,
): Promise<void> {
  const { exceptions, isMerging } = snapshot;
  if (isMerging && !store.canMerge) {
    throw context.error("Snapshot exception store does not support snapshot-merge.");
  }
  try {
    const result = await store.load(context.task, (old, fresh) => exceptions.insert(old, fresh));
    snapshot.isValid = result === LoadResult.Usable;
    if (!snapshot.isValid) context.host.log("Snapshot is marked invalid.");
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    throw context.error("Failed to read snapshot metadata", error.errno, error.message);
  }
  snapshot.store = store;
  snapshot.chunkSectors = store.chunkSectors;
  snapshot.originRecord.sort();
}
