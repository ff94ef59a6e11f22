import { Bio, type BioFlags, BioOp, type BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Task } from "@blkstack/task";

export interface BioPlan {
  readonly op: BioOp;
  readonly sector: number;
  readonly sectors: number;
  readonly flags?: BioFlags;
  /** How long the vectors are, but for the last one, which takes the rest. */
  readonly cuts?: readonly number[];
  /** What is written; absent: zeroes. */
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
    page.bytes.set(
      data?.subarray(at, at + length) ?? new Uint8Array(op === BioOp.Read ? 0 : length),
      offset,
    );
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

/** Submits a bio and answers how it ends. */
export function ended(disk: BlockDevice, bio: Bio): Promise<BioStatus> {
  return new Promise((resolve) => {
    bio.device = disk;
    bio.endIo = ({ status }) => {
      resolve(status);
    };
    // The disks need no task: they never wait.
    void disk.submitBio(bio, undefined as unknown as Task);
  });
}

/** `sectors` sectors, each filled with bytes of its own that depend on `seed`. */
export function pattern(sectors: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES);
  for (let index = 0; index < bytes.length; index += 1)
    bytes[index] = (seed * 31 + index * 7) >>> 3;
  return bytes;
}
