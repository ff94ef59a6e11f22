import { BioFlag, BioOp, BioStatus, type Bytes, type Page } from "@blkstack/bio";
import { type Bouncer, cutList, type SgList, totalBytes } from "@blkstack/blk-map";
import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import type { Allocator } from "@blkstack/mempool";
import type { Awaitable, Task } from "@blkstack/task";
import { answerOf, good, refuse, type ScsiAnswer } from "./answer.ts";
import { fill, gather, isMemory } from "./caller-memory.ts";
import { capacity10, capacity16 } from "./capacity.ts";
import { Fields } from "./fields.ts";
import type { ScsiIdentity } from "./identity.ts";
import { standardInquiry, vitalPage, WRITE_SAME_BLOCKS_MAX } from "./inquiry.ts";
import { BLOCK_BYTES_MAX, type Extent, Medium } from "./medium.ts";
import { hasModePage, modeData, PageControl } from "./mode-sense.ts";
import { cdbBytes, Opcode } from "./opcode.ts";
import {
  BAD_LIST_LENGTH,
  BAD_MEMORY,
  badField,
  beyondEnd,
  NO_MEDIUM,
  NO_SAVED_PAGES,
  NO_SENSE,
  senseData,
  UNKNOWN_OPCODE,
  WRITE_PROTECTED,
} from "./sense.ts";
import { parseUnmapList } from "./unmap-list.ts";

export interface ScsiDiskOptions {
  /** What the blocks lie on. Its logical blocks are a page at most. */
  readonly device: BlockDevice;
  /** How bios get to it: a `MakeRequest`. */
  readonly submitter: Submitter;
  readonly memory: Memory;
  /** Pages for copies of memory that the device cannot use as it lies. */
  readonly pages: Allocator<Page>;
  /** Needed where the device does not reach all memory (`bounceFrame`): a `Bounce`. */
  readonly bouncer?: Bouncer;
  readonly identity?: ScsiIdentity;
}

/** A command, as it comes from somebody who is not to be trusted, with memory of our own. */
export interface ScsiCommand {
  readonly cdb: Uint8Array;
  /** Where data for the one who asks goes. */
  readonly dataIn?: SgList;
  /** Where data from the one who asks lies. */
  readonly dataOut?: SgList;
}

/** A command that is known, and long enough. */
interface Command {
  readonly cdb: Fields;
  readonly dataIn: SgList;
  readonly dataOut: SgList;
}

/**
 * Carries out SCSI commands on a block device. Data moves between the device and the memory of the
 * command's scatter list, without a copy where the device can use that memory as it lies.
 *
 * Whatever a command says, it is answered: with CHECK CONDITION and sense data if it makes no sense.
 * It keeps nothing between commands: sense data goes with the answer, so REQUEST SENSE has none.
 */
export class ScsiDisk {
  readonly #medium: Medium;
  readonly #device: BlockDevice;
  readonly #identity: ScsiIdentity;

  /** Throws a `BlockError` `BLK_LIMITS` (EINVAL) for a device that it could not give memory to. */
  constructor(options: ScsiDiskOptions) {
    const { device, bouncer, identity = {} } = options;
    const { bounceFrame, logicalBlockBytes } = device.queue.limits;
    if (logicalBlockBytes > BLOCK_BYTES_MAX) {
      const text = `${device.name} has blocks of ${String(logicalBlockBytes)} bytes, more than a page`;
      throw new BlockError("BLK_LIMITS", "EINVAL", text);
    }
    if (bounceFrame !== Infinity && bouncer === undefined) {
      const text = `${device.name} reaches frames up to ${String(bounceFrame)}: give a bouncer`;
      throw new BlockError("BLK_LIMITS", "EINVAL", text);
    }
    this.#device = device;
    this.#identity = identity;
    this.#medium = new Medium(options);
  }

  /** Copies of callers' memory that commands work on; 0 when none is under way. */
  get liveCopies(): number {
    return this.#medium.liveCopies;
  }

  /**
   * Carries out one command; any number of tasks may do so at a time. The lists must stay as they
   * are until it has ended.
   *
   * Waits: for memory, and until the device has done its part. Not from inside a driver call of the
   * same task.
   */
  execute({ cdb, dataIn = [], dataOut = [] }: ScsiCommand, task: Task): Awaitable<ScsiAnswer> {
    const [opcode] = cdb;
    const neededBytes = opcode === undefined ? 0 : cdbBytes(opcode);
    if (opcode === undefined || neededBytes === 0) return refuse(UNKNOWN_OPCODE);
    if (cdb.length < neededBytes) return refuse(badField(cdb.length));
    if (!isMemory(dataIn) || !isMemory(dataOut)) return refuse(BAD_MEMORY);
    const fields = new Fields(cdb);
    // A command that wants others held back after an error, which is not to be had.
    if (fields.has(neededBytes - 1, 0x04)) return refuse(badField(neededBytes - 1));
    const command = { cdb: fields, dataIn, dataOut };
    return this.#describe(opcode, command) ?? this.#access(opcode, command, task);
  }

  /** Answers what can be answered without the medium; null: the command is none of these. */
  #describe(opcode: number, { cdb, dataIn }: Command): ScsiAnswer | null {
    switch (opcode) {
      case Opcode.RequestSense:
        if (cdb.has(1, 0x01)) return refuse(badField(1));
        return deliver(senseData(NO_SENSE), cdb.byte(4), dataIn);
      case Opcode.Inquiry:
        return this.#inquire(cdb, dataIn);
      case Opcode.ModeSense6:
        return this.#modeSense(cdb, 4, dataIn);
      case Opcode.ModeSense10:
        return this.#modeSense(cdb, 8, dataIn);
      default:
        return null;
    }
  }

  #access(opcode: number, command: Command, task: Task): Awaitable<ScsiAnswer> {
    const { cdb, dataIn } = command;
    const isEmpty = this.#medium.blocks === 0;
    switch (opcode) {
      case Opcode.TestUnitReady:
        return isEmpty ? refuse(NO_MEDIUM) : good();
      case Opcode.ReadCapacity10:
        return isEmpty ? refuse(NO_MEDIUM) : deliver(capacity10(this.#medium), 8, dataIn);
      case Opcode.ServiceActionIn16:
        if ((cdb.byte(1) & 0x1f) !== 0x10) return refuse(badField(1));
        if (isEmpty) return refuse(NO_MEDIUM);
        return deliver(capacity16(this.#medium), cdb.uint32(10), dataIn);
      case Opcode.Read10:
      case Opcode.Read16:
        return this.#read(command, task);
      case Opcode.Write10:
      case Opcode.Write16:
        return this.#device.isReadOnly ? refuse(WRITE_PROTECTED) : this.#write(command, task);
      case Opcode.SynchronizeCache10:
      case Opcode.SynchronizeCache16:
        return this.#synchronize(cdb, task);
      case Opcode.Unmap:
        return this.#device.isReadOnly ? refuse(WRITE_PROTECTED) : this.#unmap(command, task);
      case Opcode.WriteSame16:
        return this.#device.isReadOnly ? refuse(WRITE_PROTECTED) : this.#writeSame(command, task);
      default:
        return refuse(UNKNOWN_OPCODE);
    }
  }

  #inquire(cdb: Fields, dataIn: SgList): ScsiAnswer {
    const page = cdb.byte(2);
    const allocationBytes = cdb.uint16(3);
    if (cdb.has(1, 0x01)) {
      const data = vitalPage(page, this.#device, this.#identity);
      return data === null ? refuse(badField(2)) : deliver(data, allocationBytes, dataIn);
    }
    if (page !== 0) return refuse(badField(2));
    return deliver(standardInquiry(this.#device, this.#identity), allocationBytes, dataIn);
  }

  #modeSense(cdb: Fields, headerBytes: 4 | 8, dataIn: SgList): ScsiAnswer {
    const control = cdb.byte(2) >>> 6;
    if (!hasModePage(cdb.byte(2) & 0x3f, cdb.byte(3))) return refuse(badField(2));
    if (control === PageControl.Saved) return refuse(NO_SAVED_PAGES);
    const allocationBytes = headerBytes === 4 ? cdb.byte(4) : cdb.uint16(7);
    return deliver(modeData(this.#device, control, headerBytes), allocationBytes, dataIn);
  }

  async #read({ cdb, dataIn }: Command, task: Task): Promise<ScsiAnswer> {
    const plan = this.#plan(cdb, dataIn);
    if ("status" in plan) return plan;
    const { lba, list, bytes, isDurable } = plan;
    if (bytes === 0) return good();
    // What is read is to be on the medium, and not in a cache only.
    const flushed = isDurable ? await this.#medium.flush(task) : BioStatus.Ok;
    if (flushed !== BioStatus.Ok) return answerOf(flushed, 0, "write");
    const status = await this.#medium.move(BioOp.Read, lba, list, { flags: 0, task });
    return answerOf(status, bytes, "read");
  }

  async #write({ cdb, dataOut }: Command, task: Task): Promise<ScsiAnswer> {
    const plan = this.#plan(cdb, dataOut);
    if ("status" in plan) return plan;
    const { lba, list, bytes, isDurable } = plan;
    if (bytes === 0) return good();
    const flags = isDurable ? BioFlag.Fua : 0;
    const status = await this.#medium.move(BioOp.Write, lba, list, { flags, task });
    return answerOf(status, bytes, "write");
  }

  /** What a READ or WRITE is to move between which memory and which blocks. */
  #plan(cdb: Fields, memory: SgList): TransferPlan | ScsiAnswer {
    // Nobody here keeps protection information with the blocks.
    if (cdb.has(1, 0xe0)) return refuse(badField(1));
    const extent = extentOf(cdb);
    if (!this.#medium.has(extent)) return refuse(beyondEnd({ of: "cdb", byte: 2 }));
    const bytes = extent.blocks * this.#medium.blockBytes;
    if (totalBytes(memory) < bytes) return refuse(badField(lengthField(cdb)));
    const list = cutList(memory, 0, bytes);
    return { lba: extent.lba, list, bytes, isDurable: cdb.has(1, 0x08) };
  }

  async #synchronize(cdb: Fields, task: Task): Promise<ScsiAnswer> {
    if (!this.#medium.has(extentOf(cdb))) return refuse(beyondEnd({ of: "cdb", byte: 2 }));
    // All of it, which is more than was asked for; and never before it is done, even if that was asked.
    return answerOf(await this.#medium.flush(task), 0, "write");
  }

  async #unmap({ cdb, dataOut }: Command, task: Task): Promise<ScsiAnswer> {
    if (this.#device.queue.limits.maxDiscardSectors === 0) return refuse(UNKNOWN_OPCODE);
    if (cdb.has(1, 0x01)) return refuse(badField(1));
    const parameterBytes = cdb.uint16(7);
    if (parameterBytes === 0) return good();
    if (totalBytes(dataOut) < parameterBytes) return refuse(BAD_LIST_LENGTH);
    const extents = parseUnmapList(gather(dataOut, parameterBytes), this.#medium);
    if (!Array.isArray(extents)) return refuse(extents);
    for (const extent of extents) {
      const status = await this.#medium.discard(extent, task);
      if (status !== BioStatus.Ok) return answerOf(status, 0, "write");
    }
    return good(parameterBytes);
  }

  async #writeSame({ cdb, dataOut }: Command, task: Task): Promise<ScsiAnswer> {
    const hasNoData = cdb.has(1, 0x01);
    const mayUnmap = cdb.has(1, 0x08);
    // Protection information; and anchored blocks, which nobody here knows.
    if (cdb.has(1, 0xf0)) return refuse(badField(1));
    const extent = extentOf(cdb);
    if (extent.blocks === 0 || extent.blocks > WRITE_SAME_BLOCKS_MAX) return refuse(badField(10));
    if (!this.#medium.has(extent)) return refuse(beyondEnd({ of: "cdb", byte: 2 }));
    const bytes = hasNoData ? 0 : this.#medium.blockBytes;
    if (totalBytes(dataOut) < bytes) return refuse(BAD_LIST_LENGTH);
    const block = gather(dataOut, bytes);
    const isZero = block.every((byte) => byte === 0);
    const status =
      isZero && this.#device.queue.limits.maxWriteZeroesSectors > 0
        ? await this.#medium.zero(extent, mayUnmap, task)
        : await this.#writeBlocks(cutList(dataOut, 0, bytes), extent, task);
    return answerOf(status, bytes, "write");
  }

  #writeBlocks(block: SgList, extent: Extent, task: Task): Promise<BioStatus> {
    if (block.length === 0) return this.#medium.repeatZeroes(extent, task);
    return this.#medium.repeat(block, extent, task);
  }
}

interface TransferPlan {
  readonly lba: number;
  readonly list: SgList;
  readonly bytes: Bytes;
  /** What FUA asks for. */
  readonly isDurable: boolean;
}

/** The blocks that a command of 10 or 16 bytes names. */
function extentOf(cdb: Fields): Extent {
  if (isLong(cdb)) return { lba: cdb.uint64(2), blocks: cdb.uint32(10) };
  return { lba: cdb.uint32(2), blocks: cdb.uint16(7) };
}

/** Where in the CDB the number of blocks is. */
function lengthField(cdb: Fields): number {
  return isLong(cdb) ? 10 : 7;
}

function isLong(cdb: Fields): boolean {
  return cdbBytes(cdb.byte(0)) === 16;
}

/** Hands out as much data as was asked for and fits. */
function deliver(data: Uint8Array, allocationBytes: Bytes, dataIn: SgList): ScsiAnswer {
  return good(fill(dataIn, data.subarray(0, allocationBytes)));
}
