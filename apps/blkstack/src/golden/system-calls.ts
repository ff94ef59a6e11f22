import { Bio, BioFlag, BioOp, BioStatus, createVecs, statusName } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";
import type { Machine } from "./machine.ts";

const SECTOR_BYTES = 512;

/** What a program sees that reads and writes devices: errno names, short counts. */
export class SystemCalls {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** One read of `bytes.length`; `ok`, `EIO at=SECTOR` or `short(BYTES) at=SECTOR`. */
  async read(device: BlockDevice, sector: number, bytes: Uint8Array, task: Task): Promise<string> {
    const left = Math.max(0, device.sizeSectors - sector) * SECTOR_BYTES;
    const inside = bytes.subarray(0, left);
    if (inside.length > 0) {
      const bio = this.#dataBio(device, BioOp.Read, sector, inside);
      const status = await this.#submit(bio, task);
      if (status !== BioStatus.Ok) return at(statusName(status), sector);
    }
    return inside.length < bytes.length ? at(`short(${String(inside.length)})`, sector) : "ok";
  }

  /** One write; as `read`, and `ENOSPC at=SECTOR` at the end. */
  async write(
    device: BlockDevice,
    sector: number,
    { bytes, fua }: { bytes: Uint8Array; fua: boolean },
    task: Task,
  ): Promise<string> {
    if (device.isReadOnly) return at("EPERM", sector);
    const left = Math.max(0, device.sizeSectors - sector) * SECTOR_BYTES;
    if (left === 0) return at("ENOSPC", sector);
    const inside = bytes.subarray(0, left);
    const bio = this.#dataBio(device, BioOp.Write, sector, inside);
    if (fua) bio.flags = BioFlag.Fua | BioFlag.Sync;
    let status = await this.#submit(bio, task);
    // Who opened a device for synchronous writes has it flushed behind each of them.
    if (status === BioStatus.Ok && fua) status = await this.#submit(flushOf(device), task);
    if (status !== BioStatus.Ok) return at(statusName(status), sector);
    return inside.length < bytes.length ? at(`short(${String(inside.length)})`, sector) : "ok";
  }

  async flush(device: BlockDevice, task: Task): Promise<string> {
    return resultName(await this.#submit(flushOf(device), task));
  }

  async discard(device: BlockDevice, sector: number, sectors: number, task: Task): Promise<string> {
    if (device.isReadOnly) return "EPERM";
    if (device.queue.limits.maxDiscardSectors === 0) return "EOPNOTSUPP";
    if (sector + sectors > device.sizeSectors) return "EINVAL";
    return resultName(await this.#submitRange(device, BioOp.Discard, { sector, sectors }, task));
  }

  /** Zeroes a range: in one go where the device can, else by writing zeroes. */
  async zeroout(device: BlockDevice, sector: number, sectors: number, task: Task): Promise<string> {
    if (device.isReadOnly) return "EPERM";
    if (sector + sectors > device.sizeSectors) return "EINVAL";
    if (device.queue.limits.maxWriteZeroesSectors > 0) {
      const range = { sector, sectors };
      const status = await this.#submitRange(device, BioOp.WriteZeroes, range, task);
      if (status !== BioStatus.NotSupported) return resultName(status);
    }
    const zeroes = new Uint8Array(sectors * SECTOR_BYTES);
    const bio = this.#dataBio(device, BioOp.Write, sector, zeroes);
    return resultName(await this.#submit(bio, task));
  }

  #submitRange(
    device: BlockDevice,
    op: BioOp,
    { sector, sectors }: { sector: number; sectors: number },
    task: Task,
  ): Promise<BioStatus> {
    const bio = new Bio();
    bio.device = device;
    bio.op = op;
    bio.sector = sector;
    bio.sizeBytes = sectors * SECTOR_BYTES;
    return this.#submit(bio, task);
  }

  #dataBio(device: BlockDevice, op: BioOp, sector: number, bytes: Uint8Array): Bio {
    const bio = new Bio();
    bio.device = device;
    bio.op = op;
    bio.sector = sector;
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    return bio;
  }

  async #submit(bio: Bio, task: Task): Promise<BioStatus> {
    return submitAndWait(this.#machine.submitter, bio, task);
  }
}

function flushOf(device: BlockDevice): Bio {
  const bio = new Bio();
  bio.device = device;
  bio.op = BioOp.Write;
  bio.flags = BioFlag.Preflush | BioFlag.Sync;
  return bio;
}

function resultName(status: BioStatus): string {
  return status === BioStatus.Ok ? "ok" : statusName(status);
}

function at(result: string, sector: number): string {
  return `${result} at=${String(sector)}`;
}
