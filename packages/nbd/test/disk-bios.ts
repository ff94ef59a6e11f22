import { Bio, type BioFlags, BioOp, type BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Task } from "@blkstack/task";

/** A bio in two vectors, which holds `data`, or room to read into. */
export function makeBio(
  op: BioOp,
  sector: number,
  data: Uint8Array | number,
  flags: BioFlags = 0,
): Bio {
  const bio = new Bio();
  const lengthBytes = typeof data === "number" ? data : data.length;
  bio.op = op;
  bio.sector = sector;
  bio.flags = flags;
  bio.sizeBytes = lengthBytes;
  const bytes = new Uint8Array(lengthBytes + 100).fill(0xee);
  if (typeof data !== "number") bytes.set(data, 100);
  const page = { bytes, frame: 0 };
  const cut = Math.min(SECTOR_BYTES / 2, lengthBytes);
  bio.vecs = [
    { page, offset: 100, length: cut },
    { page, offset: 100 + cut, length: lengthBytes - cut },
  ];
  bio.vecCount = 2;
  return bio;
}

/** The data of such a bio. */
export function dataOf(bio: Bio): Uint8Array {
  return bio.vecs[0]?.page.bytes.subarray(100, 100 + bio.sizeBytes) ?? new Uint8Array(0);
}

/** Submits a bio and answers how it ends. */
export function ended(disk: BlockDevice, bio: Bio): Promise<BioStatus> {
  return new Promise((resolve) => {
    bio.device = disk;
    bio.endIo = ({ status }) => {
      resolve(status);
    };
    // The disk needs no task: it never waits.
    void disk.submitBio(bio, undefined as unknown as Task);
  });
}

export function write(
  disk: BlockDevice,
  sector: number,
  data: Uint8Array,
  flags: BioFlags = 0,
): Promise<BioStatus> {
  return ended(disk, makeBio(BioOp.Write, sector, data, flags));
}

export function flush(disk: BlockDevice): Promise<BioStatus> {
  return ended(disk, makeBio(BioOp.Flush, 0, 0));
}
