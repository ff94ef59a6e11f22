import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { SECTOR_BYTES } from "@blkstack/bio";
import { FileDisk } from "@blkstack/disk-file";
import { RamDisk } from "@blkstack/disk-ram";
import type { DiskKinds } from "@blkstack/stack";

/** The disks that stack files may name, for use. */
export const DISK_KINDS: DiskKinds = {
  async file({ name, disk, baseDirectory, scheduler }) {
    const device = await FileDisk.open({
      name,
      path: resolve(baseDirectory, disk.path),
      scheduler,
      isReadOnly: disk.isReadOnly,
      create: disk.create,
      ...(disk.sizeBytes === undefined ? {} : { sizeBytes: disk.sizeBytes }),
    });
    return {
      device,
      close: () => device.close(),
      removeCreated: async () => {
        if (device.isNew) await rm(device.path, { force: true });
      },
    };
  },
  ram({ name, disk: { sizeBytes, isReadOnly }, scheduler }) {
    const sizeSectors = sizeBytes / SECTOR_BYTES;
    return { device: new RamDisk({ name, sizeSectors, scheduler, isReadOnly }) };
  },
};
