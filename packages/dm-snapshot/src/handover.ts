import { BlockError, type TargetContext } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { ExceptionTable } from "./exception-table.ts";
import type { Origins } from "./origins.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Two snapshots on one store: the elder has the exceptions, and gives them to the younger when that
 * is resumed. So a snapshot gets another table, or begins to merge, without being read in again.
 */
interface Pair {
  readonly source: Snapshot;
  readonly destination: Snapshot;
}

function pairOf(snapshot: Snapshot, origins: Origins): Pair | null {
  const [source, destination] = origins.sharing(snapshot.cow);
  if (source === undefined || destination === undefined) return null;
  return { source, destination };
}

/**
 * Refuses what cannot take over from the snapshot that has the store now, and a second merge into one
 * origin. Throws what `context.error` makes.
 */
export function refusePairing(snapshot: Snapshot, origins: Origins, context: TargetContext): void {
  const [source, third] = origins.sharing(snapshot.cow);
  if (third !== undefined) {
    throw context.error("Snapshot cow pairing for exception table handover failed");
  }
  if (!snapshot.isMerging) return;
  if (snapshot.originRecord.merging !== null) {
    throw context.error("A snapshot is already merging.");
  }
  if (source?.store?.canMerge === false) {
    throw context.error("Snapshot exception store does not support snapshot-merge.");
  }
}

/** Refuses (EINVAL) a resume while the other one of a pair might still change the exceptions. */
export function refuseEarlyResume(snapshot: Snapshot, origins: Origins): void {
  const pair = pairOf(snapshot, origins);
  refuseShrunkStore(pair !== null && pair.source.store !== null ? pair.source : snapshot);
  if (pair === null) return;
  const { source } = pair;
  // A source that has given its exceptions away is over, and harmless.
  if (source.store === null) return;
  if (source === snapshot) {
    throw refused("Unable to resume snapshot source until handover completes.");
  }
  if (!source.host.isSuspended) {
    throw refused("Unable to perform snapshot handover until source is suspended.");
  }
}

/** What a store has in use must still be there: a device that has become too small is refused. */
function refuseShrunkStore({ store, cow, cowSectorsSeen }: Snapshot): void {
  const { sizeSectors } = cow;
  if (store === null || sizeSectors >= cowSectorsSeen || store.canShrinkTo(sizeSectors)) return;
  const used = String(store.usage().allocatedSectors);
  throw refused(
    `COW device "${cow.name}" has become too small for what it holds: ` +
      `it has ${String(sizeSectors)} sectors, of which ${used} would be in use`,
  );
}

/**
 * Lets a snapshot begin to keep what is written over, after it has taken over, if it is to, the
 * exceptions of another.
 *
 * Waits, the first time: until no write to the origin is under way, for a snapshot is of one moment.
 */
export async function activate(snapshot: Snapshot, origins: Origins, task: Task): Promise<void> {
  const pair = pairOf(snapshot, origins);
  const source = pair?.destination === snapshot ? pair.source : null;
  if (!snapshot.isActive) {
    const isStill = snapshot.policies.activation === "still";
    const begin = async (): Promise<void> => {
      if (source !== null && source.store !== null) {
        if (isStill) await source.idle(task);
        move(source, snapshot);
      }
      snapshot.originRecord.sort();
      snapshot.isActive = true;
    };
    await (isStill ? snapshot.originRecord.whileStill(begin, task) : begin());
  }
  snapshot.sawStore();
}

function move(source: Snapshot, destination: Snapshot): void {
  destination.exceptions = source.exceptions;
  destination.store = source.store;
  // The store goes on using what it was made with.
  const { io } = destination;
  destination.io = source.io;
  source.io = io;
  destination.chunkSectors = source.chunkSectors;
  destination.isValid = source.isValid;
  destination.isOverflowed = source.isOverflowed;
  source.exceptions = new ExceptionTable();
  source.store = null;
  source.chunkSectors = 0;
  source.isActive = false;
  source.isValid = false;
}

function refused(message: string): BlockError {
  return new BlockError("BLK_STATE", "EINVAL", message);
}
