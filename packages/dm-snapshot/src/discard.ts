import { type Bio, bioEndio, BioStatus } from "@blkstack/bio";
import { MapResult } from "@blkstack/block";
import type { CopyListener } from "@blkstack/kcopyd";
import type { Task } from "@blkstack/task";
import type { BioData } from "./bio-data.ts";
import type { Snapshot } from "./snapshot.ts";

/** A discard of a range within one chunk. */
export interface ChunkDiscard {
  readonly bio: Bio;
  readonly chunk: number;
  /** -1: the chunk has no exception. */
  readonly newChunk: number;
  /** Whether this copy of the discard is the one for the origin. */
  readonly isPassedDown: boolean;
}

/**
 * A chunk with an exception keeps it, and reads as zeroes; one without reads as before, for to
 * forget what the origin has would take more room than it gives back.
 *
 * Waits: for the copier to take the work.
 */
export async function discard(
  snapshot: Snapshot,
  { bio, chunk, newChunk, isPassedDown }: ChunkDiscard,
  data: BioData,
  task: Task,
): Promise<MapResult> {
  if (isPassedDown) return snapshot.passDown(bio, chunk, data);
  if (newChunk < 0) {
    bioEndio(bio);
    return MapResult.Submitted;
  }
  const { cow: device, chunkSectors } = snapshot;
  if (bio.sectors < chunkSectors) {
    bio.device = device;
    bio.sector = snapshot.cowSector(newChunk, bio.sector);
    return MapResult.Remapped;
  }
  const region = { device, sector: newChunk * chunkSectors, sectors: chunkSectors };
  await snapshot.copier.zero({ destinations: [region] }, new EndOfZeroes(bio), task);
  return MapResult.Submitted;
}

/** Ends a discard when its chunk was zeroed. */
class EndOfZeroes implements CopyListener {
  readonly #bio: Bio;

  constructor(bio: Bio) {
    this.#bio = bio;
  }

  copyEnded(_readErrors: number, writeErrors: number): void {
    if (writeErrors !== 0) this.#bio.status = BioStatus.IoError;
    bioEndio(this.#bio);
  }
}
