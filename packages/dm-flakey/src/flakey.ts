import { type Bio, bioEndio, BioOp, BioStatus, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  EndIoResult,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { BioMemory, type Change } from "./bio-memory.ts";
import { Corrupter } from "./corrupter.ts";
import { type Features, wordsOf } from "./features.ts";
import { parseCount, parseFeatures } from "./parse-features.ts";

/** Works for some seconds, then fails, forgets or garbles what it is asked, and so on in turn. */
export const flakey: TargetType = defineTarget({
  name: "flakey",
  version: [1, 5, 0],
  apiVersion: 1,
  createPerBioData: () => new BioMemory(),
  create: (context) => {
    const interval = parseInterval(context);
    const features = parseFeatures(context, ARGUMENTS_MIN);
    const { args, openDevice } = context;
    return new Flakey(context, { device: openDevice(args[0] ?? ""), ...interval, features });
  },
});

const ARGUMENTS_MIN = 4;
const UINT32_MAX = 0xffff_ffff;
const SECOND_MS = 1000;
const NO_CHANGES: readonly Change[] = [];

interface Interval {
  readonly startSector: Sectors;
  readonly upSeconds: number;
  readonly downSeconds: number;
}

interface FlakeyOptions extends Interval {
  readonly device: BlockDevice;
  readonly features: Features;
}

function parseInterval(context: TargetContext): Interval {
  const { args, sector, error } = context;
  if (args.length < ARGUMENTS_MIN) throw error("Invalid argument count");
  const [, start = "", up = "", down = ""] = args;
  const startSector = sector(start);
  const upSeconds = parseCount(up, 0, UINT32_MAX);
  if (upSeconds === null) throw error("Invalid up interval", "EINVAL", `"${up}"`);
  const downSeconds = parseCount(down, 0, UINT32_MAX);
  if (downSeconds === null) throw error("Invalid down interval", "EINVAL", `"${down}"`);
  // The sum is counted in 32 bits.
  const total = (upSeconds + downSeconds) % (UINT32_MAX + 1);
  if (total === 0) throw error("Total (up + down) interval is zero");
  if (total < upSeconds) throw error("Interval overflow");
  return { startSector, upSeconds, downSeconds };
}

class Flakey implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly takesNoWait = true;
  readonly #context: TargetContext;
  readonly #options: FlakeyOptions;
  readonly #device: BlockDevice;
  /** What to add to a sector of the mapped device to get one of the lower device. */
  readonly #shift: Sectors;
  readonly #createdMs: number;
  readonly #failsReads: boolean;
  readonly #failsWrites: boolean;
  readonly #dropsWrites: boolean;
  readonly #corrupter: Corrupter | null;

  constructor(context: TargetContext, options: FlakeyOptions) {
    const { features } = options;
    const nothingNamed = wordsOf(features).length === 0;
    this.#context = context;
    this.#options = options;
    this.#device = options.device;
    this.#shift = options.startSector - context.begin;
    this.#createdMs = context.scheduler.clock.nowMs();
    this.#failsReads = nothingNamed || features.errorReads;
    this.#failsWrites = nothingNamed || features.errorWrites;
    this.#dropsWrites = features.dropWrites;
    const corrupter = new Corrupter(features, context.scheduler.random);
    this.#corrupter = corrupter.isNeeded ? corrupter : null;
  }

  /** Waits: never. */
  map(bio: Bio): MapResult {
    const isRead = bio.op === BioOp.Read;
    const isDown = this.#isDown;
    if (isDown) {
      if (isRead ? this.#failsReads : this.#failsWrites) return MapResult.Kill;
      if (!isRead && this.#dropsWrites) {
        bioEndio(bio);
        return MapResult.Submitted;
      }
    }
    bio.device = this.#device;
    bio.sector += this.#shift;
    if (this.#corrupter !== null) {
      const memory = this.#memoryOf(bio);
      memory.begin(bio, isDown ? this.#corrupter.changesOf(bio) : NO_CHANGES);
      if (!isRead) memory.divertWrite(bio);
    }
    return MapResult.Remapped;
  }

  /** A read that came while the device was down is garbled in the memory that it filled. */
  endIo(bio: Bio): EndIoResult {
    const isRead = bio.op === BioOp.Read && bio.status === BioStatus.Ok;
    if (this.#corrupter !== null && isRead) this.#memoryOf(bio).changeInPlace();
    return EndIoResult.Done;
  }

  status(kind: StatusKind): string {
    if (kind === "info") return "";
    const { device, startSector, upSeconds, downSeconds, features } = this.#options;
    const words = wordsOf(features);
    const label = this.#context.deviceLabel(device);
    return [label, startSector, upSeconds, downSeconds, words.length, ...words, ""].join(" ");
  }

  devices(): DeviceRange[] {
    const { startSector } = this.#options;
    return [{ device: this.#device, startSector, sizeSectors: this.#context.sizeSectors }];
  }

  /** Counted in whole seconds from when the table was loaded, up first. */
  get #isDown(): boolean {
    const { upSeconds, downSeconds } = this.#options;
    const elapsedMs = this.#context.scheduler.clock.nowMs() - this.#createdMs;
    return Math.floor(elapsedMs / SECOND_MS) % (upSeconds + downSeconds) >= upSeconds;
  }

  #memoryOf(bio: Bio): BioMemory {
    return this.#context.perBioData(bio) as BioMemory;
  }
}
