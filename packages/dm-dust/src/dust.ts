import { type Bio, BioOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { type Access, AccessMode } from "@blkstack/task";
import { BadBlocks } from "./bad-blocks.ts";
import { answerMessage, type DustSwitches } from "./dust-message.ts";

/** Blocks that cannot be read until they are written, as bad sectors of a disk that remaps them. */
export const dust: TargetType = defineTarget({
  name: "dust",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    if (context.args.length !== 3) throw context.error("Invalid argument count");
    const [name = "", start = "", blockSize = ""] = context.args;
    const startSector = context.sector(start);
    const blockBytes = parseBlockBytes(blockSize);
    if (blockBytes === null) {
      const detail = `"${blockSize}" is no power of two from 512 to 1073741824`;
      throw context.error("Invalid block size parameter", "EINVAL", detail);
    }
    return new Dust(context, { device: context.openDevice(name), startSector, blockBytes });
  },
});

const BLOCK_BYTES_MAX = 2 ** 30;

function parseBlockBytes(text: string): number | null {
  const bytes = /^\d+$/.test(text) ? Number(text) : 0;
  const isInRange = bytes >= SECTOR_BYTES && bytes <= BLOCK_BYTES_MAX;
  return isInRange && (bytes & (bytes - 1)) === 0 ? bytes : null;
}

interface DustOptions {
  readonly device: BlockDevice;
  readonly startSector: Sectors;
  readonly blockBytes: number;
}

class Dust implements Target {
  readonly flushBios = 1;
  readonly flushesPassThrough = true;
  readonly discardBios = 1;
  readonly takesNoWait = true;
  /** So that every bio lies in one block. */
  readonly maxIoSectors: Sectors;
  readonly #context: TargetContext;
  readonly #options: DustOptions;
  readonly #bad: BadBlocks;
  readonly #switches: DustSwitches = { isEnabled: false, isQuiet: false };
  readonly #reading: Access;
  readonly #writing: Access;

  constructor(context: TargetContext, options: DustOptions) {
    this.#context = context;
    this.#options = options;
    this.maxIoSectors = options.blockBytes / SECTOR_BYTES;
    this.#bad = new BadBlocks(Math.ceil(context.sizeSectors / this.maxIoSectors));
    const label = `bad blocks of ${context.deviceName}`;
    const object = { label };
    this.#reading = { object, mode: AccessMode.Read, label: `look at ${label}` };
    this.#writing = { object, mode: AccessMode.Write, label: `change ${label}` };
  }

  /** Waits: never. */
  map(bio: Bio): MapResult {
    const offset = bio.sector - this.#context.begin;
    this.#context.scheduler.touch(this.#reading);
    if (this.#switches.isEnabled && bio.sizeBytes > 0 && this.#bad.count > 0) {
      const block = Math.floor(offset / this.maxIoSectors);
      if (this.#bad.has(block) && !this.#isRemapped(bio, block)) return MapResult.Kill;
    }
    bio.device = this.#options.device;
    bio.sector = this.#options.startSector + offset;
    return MapResult.Remapped;
  }

  /** `info`: the device, whether bad blocks are bad, and whether it tells of them. */
  status(kind: StatusKind): string {
    const { device, startSector, blockBytes } = this.#options;
    const label = this.#context.deviceLabel(device);
    if (kind === "table") return `${label} ${String(startSector)} ${String(blockBytes)}`;
    const { isEnabled, isQuiet } = this.#switches;
    const mode = isEnabled ? "fail_read_on_bad_block" : "bypass";
    return `${label} ${mode} ${isQuiet ? "quiet" : "verbose"}`;
  }

  message(words: readonly string[]): string {
    this.#context.scheduler.touch(this.#writing);
    return answerMessage(words, this.#bad, this.#switches, this.#context.host);
  }

  devices(): DeviceRange[] {
    const { device, startSector } = this.#options;
    return [{ device, startSector, sizeSectors: this.#context.sizeSectors }];
  }

  /** Whether a bio that hits a bad block is a write with which the block is bad no more. */
  #isRemapped(bio: Bio, block: number): boolean {
    if (bio.op === BioOp.Read) return false;
    const { host, scheduler } = this.#context;
    scheduler.touch(this.#writing);
    if (this.#bad.failsWrite(block)) return false;
    this.#bad.delete(block);
    if (!this.#switches.isQuiet) {
      host.log(`block ${String(block)} removed from badblocklist by write`);
    }
    return true;
  }
}
