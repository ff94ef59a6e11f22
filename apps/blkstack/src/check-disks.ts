import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Bio, bioEndio, BioOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type BlockDevice, BlockError, RequestQueue } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import type { DiskKinds } from "@blkstack/stack";
import type { Awaitable, Task } from "@blkstack/task";
import { DISK_KINDS, openFileDisk } from "./disk-kinds.ts";
import { openLoopDisk } from "./loop-disk.ts";
import { remoteAddress } from "./nbd-disk.ts";
import { isSystemError } from "./user-error.ts";

/** What nobody says the size of is large enough for every table. */
const UNKNOWN_SIZE_BYTES = 2 ** 52;

/** Disks to check tables against: what is read is there, what is written is forgotten. */
export const CHECK_DISKS: DiskKinds = {
  async file(request) {
    const { name, disk, baseDirectory, scheduler } = request;
    const path = resolve(baseDirectory, disk.path);
    if (disk.create && (await isMissing(path))) {
      await checkFolder(name, path);
      const sizeSectors = Math.floor((disk.sizeBytes ?? 0) / SECTOR_BYTES);
      const { isReadOnly } = disk;
      return { device: new RamDisk({ name, sizeSectors, scheduler, isReadOnly }) };
    }
    const opened = await openFileDisk(request);
    return { device: new ForgetfulDisk(opened.device), close: () => opened.close?.() };
  },
  async loop(request) {
    const { name, disk, baseDirectory, scheduler } = request;
    const path = resolve(baseDirectory, disk.path);
    if (disk.create && (await isMissing(path))) {
      await checkFolder(name, path);
      const sizeSectors = Math.floor((disk.sizeBytes ?? 0) / SECTOR_BYTES);
      const { isReadOnly } = disk;
      return { device: new RamDisk({ name, sizeSectors, scheduler, isReadOnly }) };
    }
    const opened = await openLoopDisk(request);
    return { device: new ForgetfulDisk(opened.device), close: () => opened.close?.() };
  },
  nbd({ name, disk, baseDirectory, scheduler }) {
    // Nobody is connected to: a server that is down, or not to be disturbed, makes no stack file wrong.
    remoteAddress(disk.uri, baseDirectory);
    const sizeSectors = Math.floor((disk.sizeBytes ?? UNKNOWN_SIZE_BYTES) / SECTOR_BYTES);
    const { isReadOnly } = disk;
    return { device: new RamDisk({ name, sizeSectors, scheduler, isReadOnly }) };
  },
  ram: DISK_KINDS.ram,
};

/** Reads what a disk has; what is written to it goes well and goes nowhere. */
class ForgetfulDisk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;
  readonly #disk: BlockDevice;

  constructor(disk: BlockDevice) {
    this.#disk = disk;
    this.name = disk.name;
    this.sizeSectors = disk.sizeSectors;
    this.isReadOnly = disk.isReadOnly;
    this.queue = new RequestQueue(disk.name, disk.queue.limits);
  }

  submitBio(bio: Bio, task: Task): Awaitable<void> {
    if (bio.op === BioOp.Read) return this.#disk.submitBio(bio, task);
    bioEndio(bio);
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
