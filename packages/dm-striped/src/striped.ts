import type { Bio, Sectors } from "@blkstack/bio";
import { SECTOR_BYTES } from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  defineTarget,
  type DeviceRange,
  type Extent,
  findExtent,
  MapResult,
  type QueueLimits,
  setData,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";

/** Deals chunks of the mapped device out to several lower devices, one after the other. */
export const striped: TargetType = defineTarget({
  name: "striped",
  version: [1, 6, 0],
  apiVersion: 1,
  create(context) {
    const { args, sizeSectors } = context;
    if (args.length < 2) throw context.error("Not enough arguments");
    const stripeCount = parseCount(args[0] ?? "");
    if (stripeCount === null) throw context.error("Invalid stripe count");
    const chunkSectors = parseCount(args[1] ?? "");
    if (chunkSectors === null) throw context.error("Invalid chunk_size");
    if (sizeSectors % stripeCount !== 0) {
      throw context.error("Target length not divisible by number of stripes");
    }
    if ((sizeSectors / stripeCount) % chunkSectors !== 0) {
      throw context.error("Target length not divisible by chunk size");
    }
    if (args.length !== 2 + 2 * stripeCount) {
      throw context.error("Not enough destinations specified");
    }
    return new Striped(context, chunkSectors, openStripes(context, stripeCount));
  },
});

/** The most that a count of stripes, or of sectors in a chunk, may be. */
const COUNT_MAX = 0xffff_ffff;

interface Stripe {
  readonly device: BlockDevice;
  readonly startSector: Sectors;
}

/** A positive decimal number of 32 bits, or null. */
function parseCount(text: string): number | null {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count > 0 && count <= COUNT_MAX ? count : null;
}

function openStripes(context: TargetContext, stripeCount: number): Stripe[] {
  return Array.from({ length: stripeCount }, (_, index) => {
    const [device = "", start = ""] = context.args.slice(2 + 2 * index);
    try {
      const startSector = context.sector(start);
      return { device: context.openDevice(device), startSector };
    } catch (cause) {
      if (!(cause instanceof BlockError)) throw cause;
      throw context.error("Couldn't parse stripe destination", cause.errno);
    }
  });
}

class Striped implements Target {
  readonly flushBios: number;
  readonly flushesPassThrough = true;
  readonly discardBios = 1;
  readonly writeZeroesBios = 1;
  readonly secureEraseBios = 1;
  readonly takesNoWait = true;
  /** So that every bio lies in one chunk, and so on one device. */
  readonly maxIoSectors: Sectors;
  readonly #context: TargetContext;
  readonly #chunkSectors: Sectors;
  readonly #stripes: readonly Stripe[];

  constructor(context: TargetContext, chunkSectors: Sectors, stripes: readonly Stripe[]) {
    this.flushBios = stripes.length;
    this.maxIoSectors = chunkSectors;
    this.#context = context;
    this.#chunkSectors = chunkSectors;
    this.#stripes = stripes;
  }

  /** Waits: never. */
  map(bio: Bio): MapResult {
    // An empty flush comes once for each device.
    if (bio.sizeBytes === 0) return this.#sendTo(bio, this.#context.copyIndex(bio), 0);
    const offset = bio.sector - this.#context.begin;
    const chunk = Math.floor(offset / this.#chunkSectors);
    const row = Math.floor(chunk / this.#stripes.length);
    const within = offset - chunk * this.#chunkSectors;
    const column = chunk - row * this.#stripes.length;
    return this.#sendTo(bio, column, row * this.#chunkSectors + within);
  }

  /** Within one chunk. */
  findExtent(sector: Sectors, extent: Extent): void {
    const offset = sector - this.#context.begin;
    const chunk = Math.floor(offset / this.#chunkSectors);
    const row = Math.floor(chunk / this.#stripes.length);
    const within = offset - chunk * this.#chunkSectors;
    const stripe = this.#stripes[chunk - row * this.#stripes.length];
    extent.sectors = Math.min(extent.sectors, this.#chunkSectors - within);
    if (stripe === undefined) setData(extent);
    else findExtent(stripe.device, stripe.startSector + row * this.#chunkSectors + within, extent);
  }

  /** `info` calls every device `A`live: errors pass through here, and nobody counts them. */
  status(kind: StatusKind): string {
    const labels = this.#stripes.map(({ device }) => this.#context.deviceLabel(device));
    const count = String(this.#stripes.length);
    if (kind === "info") return `${count} ${labels.join(" ")} 1 ${"A".repeat(labels.length)}`;
    const places = this.#stripes.map(({ startSector }, index) => {
      return `${labels[index] ?? ""} ${String(startSector)}`;
    });
    return `${count} ${String(this.#chunkSectors)} ${places.join(" ")}`;
  }

  devices(): DeviceRange[] {
    const sizeSectors = this.#context.sizeSectors / this.#stripes.length;
    return this.#stripes.map((stripe) => ({ ...stripe, sizeSectors }));
  }

  adjustLimits(limits: QueueLimits): void {
    limits.ioMinBytes = this.#chunkSectors * SECTOR_BYTES;
    limits.ioOptBytes = limits.ioMinBytes * this.#stripes.length;
  }

  #sendTo(bio: Bio, column: number, offset: Sectors): MapResult {
    const stripe = this.#stripes[column];
    if (stripe === undefined) return MapResult.Kill;
    bio.device = stripe.device;
    bio.sector = stripe.startSector + offset;
    return MapResult.Remapped;
  }
}
