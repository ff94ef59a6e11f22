import { type Bio, PAGE_BYTES, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { BioSet } from "@blkstack/bio-set";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  MapResult,
  type QueueLimits,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import {
  alignedIn,
  Bounce,
  BounceInTurn,
  BouncePages,
  framesUpTo,
  PageArena,
  standInSet,
} from "@blkstack/bounce";
import { Memory } from "@blkstack/memory";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { type Features, parseFeatures } from "./features.ts";

/** Maps a range onto one of a lower device, which is given only bios whose memory it can use. */
export const bounce: TargetType = defineTarget({
  name: "bounce",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    const { args } = context;
    if (args.length < 2) throw context.error("Invalid argument count");
    const [device = "", start = ""] = args;
    const startSector = context.sector(start);
    const features = parseFeatures(context);
    return new BounceTarget(context, context.openDevice(device), startSector, features);
  },
});

class BounceTarget implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly writeZeroesBios = 1;
  readonly secureEraseBios = 1;
  readonly #context: TargetContext;
  readonly #device: BlockDevice;
  readonly #start: Sectors;
  readonly #features: Features;
  readonly #shift: Sectors;
  readonly #bios: BioSet;
  readonly #pages: BouncePages;
  readonly #inTurn: BounceInTurn;
  #bounced = 0;

  constructor(context: TargetContext, device: BlockDevice, start: Sectors, features: Features) {
    this.#context = context;
    this.#device = device;
    this.#start = start;
    this.#features = features;
    this.#shift = start - context.begin;
    const { scheduler, deviceName } = context;
    const name = `bounce of ${deviceName}`;
    const { limits } = device.queue;
    const source = new PageArena({ label: `pages of ${name}`, limitPages: features.pages });
    const alignBytes = features.alignBytes ?? limits.dmaAlignmentMask + 1;
    const reach =
      alignBytes > 1 ? alignedIn(source, alignBytes) : framesUpTo(limits.bounceFrame, Infinity);
    this.#bios = standInSet({ name, scheduler, memory: context.service(Memory) });
    this.#pages = new BouncePages({ scheduler, label: name, source, reserve: features.pages });
    this.#inTurn = new BounceInTurn(
      new Bounce({ reach, pages: this.#pages, bios: this.#bios }),
      name,
    );
  }

  /** Waits: for pages, when the memory of the bio has to be replaced. Never for any other bio. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    bio.device = this.#device;
    bio.sector += this.#shift;
    const given = this.#inTurn.bounce(bio, task);
    if (given === bio) return MapResult.Remapped;
    return isPending(given)
      ? given.then((late) => this.#submit(late, task))
      : this.#submit(given, task);
  }

  /** `info`: bios that were bounced, pages in use and in all. */
  status(kind: StatusKind): string {
    if (kind === "info") {
      const { liveCount, minNr } = this.#pages.pool;
      return `${String(this.#bounced)} ${String(liveCount)}/${String(minNr)}`;
    }
    const label = this.#context.deviceLabel(this.#device);
    return [label, String(this.#start), ...this.#features.words].join(" ");
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ device: this.#device, startSector: this.#start, sizeSectors }];
  }

  /** Any memory will do from here on, but no more of it than there are pages for. */
  adjustLimits(limits: QueueLimits): void {
    const sectors = this.#features.pages * (PAGE_BYTES / SECTOR_BYTES);
    limits.maxSectors = Math.min(limits.maxSectors, sectors);
    limits.maxHwSectors = Math.min(limits.maxHwSectors, sectors);
    limits.dmaAlignmentMask = 0;
    limits.bounceFrame = Infinity;
  }

  /** Waits: never. */
  destroy(task: Task): Awaitable<void> {
    this.#pages.destroy();
    return this.#bios.destroy(task);
  }

  #submit(standIn: Bio, task: Task): Awaitable<MapResult> {
    this.#bounced += 1;
    const submitted = this.#context.submitter.submitBio(standIn, task);
    return isPending(submitted) ? submitted.then(() => MapResult.Submitted) : MapResult.Submitted;
  }
}
