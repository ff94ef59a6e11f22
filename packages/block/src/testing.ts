import {
  Bio,
  type BioDevice,
  type BioFlags,
  BioOp,
  type BioStatus,
  type BioVec,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";

/** A bio that a test asks for. */
export interface BioPlan {
  readonly op: BioOp;
  readonly sector: Sectors;
  readonly sectors: Sectors;
  readonly flags?: BioFlags;
  /** Bytes of each vector but the last one, which takes the rest. */
  readonly cuts?: readonly number[];
  /** What is written; absent: zeroes. */
  readonly data?: Uint8Array;
}

/** What lies where nobody has read to, and around the vectors. */
const UNTOUCHED = 0xee;

/** Makes a bio whose vectors lie at odd places of larger pages, each of them in one of its own. */
export function planBio({ op, sector, sectors, flags = 0, cuts = [], data }: BioPlan): Bio {
  const bio = new Bio();
  bio.op = op;
  bio.sector = sector;
  bio.flags = flags;
  bio.sizeBytes = sectors * SECTOR_BYTES;
  const vecs: BioVec[] = [];
  for (let at = 0; at < bio.sizeBytes;) {
    const frame = vecs.length;
    const length = Math.min(cuts[frame] ?? Infinity, bio.sizeBytes - at);
    const offset = (frame * SECTOR_BYTES) % (3 * SECTOR_BYTES);
    const bytes = new Uint8Array(offset + length + 64).fill(UNTOUCHED);
    if (data !== undefined) bytes.set(data.subarray(at, at + length), offset);
    else if (op !== BioOp.Read) bytes.fill(0, offset, offset + length);
    vecs.push({ page: { bytes, frame }, offset, length });
    at += length;
  }
  bio.vecs = vecs;
  bio.vecCount = vecs.length;
  return bio;
}

/** A copy of what lies in the vectors of a bio, wherever its reader stands. */
export function dataOf(bio: Bio): Uint8Array {
  const vecs = bio.vecs.slice(0, bio.vecCount);
  const data = new Uint8Array(vecs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { page, offset, length } of vecs) {
    data.set(page.bytes.subarray(offset, offset + length), at);
    at += length;
  }
  return data;
}

/** A device that needs no task, for it never waits. */
export interface TasklessDevice extends BioDevice {
  submitBio(bio: Bio): void;
}

/**
 * Submits a bio straight to a device and answers how it ended. For a device that may wait, use a
 * submitter: `submitAndWait` of `@blkstack/make-request`.
 */
export function ended(device: TasklessDevice, bio: Bio): Promise<BioStatus> {
  return new Promise((resolve) => {
    bio.device = device;
    bio.endIo = ({ status }) => {
      resolve(status);
    };
    device.submitBio(bio);
  });
}

/** `sectors` sectors, no two alike; another `seed`, an integer, makes others. */
export function pattern(sectors: Sectors, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES);
  // Seeds begin far from each other, and the golden ratio makes neighbours differ.
  const begin = Math.imul(seed, 0x85eb_ca6b);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Math.imul(begin + index, 0x9e37_79b1) >>> 24;
  }
  return bytes;
}
