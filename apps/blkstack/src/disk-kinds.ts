import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { SECTOR_BYTES } from "@blkstack/bio";
import { FileDisk } from "@blkstack/disk-file";
import { RamDisk } from "@blkstack/disk-ram";
import type { DiskKinds } from "@blkstack/stack";
import { openLoopDisk } from "./loop-disk.ts";
import { openNbdDisk } from "./nbd-disk.ts";

/** How often to look whether somebody made a file longer: the system does not tell. */
const GROWTH_POLL_MS = 500;

/** Opens an image file, and follows its growth. */
export const openFileDisk: NonNullable<DiskKinds["file"]> = async (request) => {
  const { name, disk, baseDirectory, scheduler } = request;
  const device = await FileDisk.open({
    name,
    path: resolve(baseDirectory, disk.path),
    scheduler,
    isReadOnly: disk.isReadOnly,
    create: disk.create,
    isDirect: disk.isDirect ?? false,
    ...(disk.sizeBytes === undefined ? {} : { sizeBytes: disk.sizeBytes }),
  });
  const poll = setInterval(() => void device.followGrowth(), GROWTH_POLL_MS).unref();
  return {
    device,
    grow: (sizeBytes) => device.grow(sizeBytes),
    close: () => {
      clearInterval(poll);
      return device.close();
    },
    removeCreated: async () => {
      if (device.isNew) await rm(device.path, { force: true });
    },
  };
};

/** The disks that stack files may name, for use. */
export const DISK_KINDS: Required<DiskKinds> = {
  file: openFileDisk,
  loop: openLoopDisk,
  nbd: openNbdDisk,
  ram({ name, disk: { sizeBytes, isReadOnly }, scheduler }) {
    const sizeSectors = sizeBytes / SECTOR_BYTES;
    return { device: new RamDisk({ name, sizeSectors, scheduler, isReadOnly }) };
  },
};
