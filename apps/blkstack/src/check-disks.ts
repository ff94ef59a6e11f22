import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Bio, bioError, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  defaultLimits,
  type QueueLimits,
  RequestQueue,
} from "@blkstack/block";
import type { DiskKinds } from "@blkstack/stack";
import { DISK_KINDS } from "./disk-kinds.ts";
import { isSystemError } from "./user-error.ts";

/** Disks to check tables against: as large as the real ones, with nothing to read or to write. */
export const CHECK_DISKS: DiskKinds = {
  async file(request) {
    const { name, disk, baseDirectory } = request;
    const path = resolve(baseDirectory, disk.path);
    if (disk.create && (await isMissing(path))) {
      await checkFolder(name, path);
      return { device: new EmptyDisk(name, (disk.sizeBytes ?? 0) / SECTOR_BYTES, disk.isReadOnly) };
    }
    const opened = await DISK_KINDS.file?.(request);
    await opened?.close?.();
    const { sizeSectors, isReadOnly, queue } = opened?.device ?? new EmptyDisk(name, 0, true);
    return { device: new EmptyDisk(name, sizeSectors, isReadOnly, queue.limits) };
  },
  ram({ name, disk: { sizeBytes, isReadOnly } }) {
    return { device: new EmptyDisk(name, sizeBytes / SECTOR_BYTES, isReadOnly) };
  },
};

class EmptyDisk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;

  constructor(
    name: string,
    sizeSectors: Sectors,
    isReadOnly: boolean,
    limits: QueueLimits = defaultLimits(),
  ) {
    this.name = name;
    this.sizeSectors = sizeSectors;
    this.isReadOnly = isReadOnly;
    this.queue = new RequestQueue(name, limits);
  }

  submitBio(bio: Bio): void {
    bioError(bio, BioStatus.IoError);
  }
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return isSystemError(error) && error.code === "ENOENT";
  }
}

async function checkFolder(name: string, path: string): Promise<void> {
  const folder = dirname(path);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  throw new BlockError(
    "BLK_DEVICE",
    "ENOENT",
    `disk ${JSON.stringify(name)}: ${path}: there is no folder ${folder}; make it first`,
  );
}
