import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { BlockError } from "@blkstack/block";
import { LoopDevice } from "@blkstack/loop";
import { type NodeFile, openBackingFile } from "@blkstack/loop/node";
import { type DiskKinds, type LoopDiskDescription, runInTask } from "@blkstack/stack";

/** Opens a part of a file as a disk. */
export const openLoopDisk: NonNullable<DiskKinds["loop"]> = async (request) => {
  const { name, disk, baseDirectory, scheduler } = request;
  const { path, create, isReadOnly, offsetBytes, sizeBytes } = disk;
  const endBytes = sizeBytes === undefined ? {} : { sizeBytes: offsetBytes + sizeBytes };
  const options = { path: resolve(baseDirectory, path), create, isReadOnly, ...endBytes };
  const { file, isNew } = await openBackingFile(options);
  try {
    checkLength(file, disk);
    const device = new LoopDevice({ name, scheduler });
    const limit = sizeBytes === undefined ? {} : { sizeLimitBytes: sizeBytes };
    await runInTask(scheduler, `bind ${name}`, (task) =>
      device.bind({ file, offsetBytes, ...limit }, task),
    );
    return {
      device,
      close: async () => {
        await runInTask(scheduler, `unbind ${name}`, (task) => device.unbind(task));
        await file.close();
      },
      removeCreated: async () => {
        if (isNew) await rm(file.path, { force: true });
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
};

/** A disk of which a part cannot be read is more likely a mistake than a wish. */
function checkLength(file: NodeFile, { offsetBytes, sizeBytes }: LoopDiskDescription): void {
  if (sizeBytes === undefined) return;
  const endBytes = offsetBytes + sizeBytes;
  if (file.sizeBytes >= endBytes) return;
  const message =
    `${file.path} is ${String(file.sizeBytes)} bytes long; ` +
    `offset and size need ${String(endBytes)}: make it longer, or leave out the size`;
  throw new BlockError("BLK_DEVICE", "EINVAL", message);
}
