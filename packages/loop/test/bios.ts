import { Bio, type BioFlags, BioOp, type BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";

export interface BioPlan {
  readonly op: BioOp;
  readonly sector: number;
  readonly sectors: number;
  readonly flags?: BioFlags;
  /** How long the vectors are, but for the last one, which takes the rest. */
  readonly cuts?: readonly number[];
  /** What is written; absent: zeroes for a write, 0xee where something is to be read. */
  readonly data?: Uint8Array;
}

/** Makes a bio whose vectors lie at odd places of larger pages. */
export function planBio({ op, sector, sectors, flags = 0, cuts = [], data }: BioPlan): Bio {
  const bio = new Bio();
  bio.op = op;
  bio.sector = sector;
  bio.flags = flags;
  bio.sizeBytes = sectors * SECTOR_BYTES;
  let at = 0;
  for (let index = 0; at < bio.sizeBytes; index += 1) {
    const length = Math.min(cuts[index] ?? Infinity, bio.sizeBytes - at);
    const offset = (index * 512) % 1536;
    const page = { bytes: new Uint8Array(offset + length + 64).fill(0xee), frame: index };
    if (data !== undefined) page.bytes.set(data.subarray(at, at + length), offset);
    else if (op !== BioOp.Read) page.bytes.fill(0, offset, offset + length);
    bio.vecs = [...bio.vecs, { page, offset, length }];
    bio.vecCount += 1;
    at += length;
  }
  return bio;
}

/** What lies in the vectors of a bio. */
export function dataOf(bio: Bio): Uint8Array {
  const parts = bio.vecs.map(({ page, offset, length }) =>
    page.bytes.subarray(offset, offset + length),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** An empty flush. */
export function flushBio(flags: BioFlags): Bio {
  return planBio({ op: BioOp.Write, sector: 0, sectors: 0, flags });
}

/** Submits a bio to a device and answers how it ended. */
export async function run(
  submitter: Submitter,
  device: BlockDevice,
  bio: Bio,
  task: Task,
): Promise<BioStatus> {
  bio.device = device;
  return submitAndWait(submitter, bio, task);
}

/** `sectors` sectors that depend on `seed`. */
export function pattern(sectors: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (seed * 31 + index * 7) >>> 3;
  }
  return bytes;
}
