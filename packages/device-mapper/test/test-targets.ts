import type { BioStatus } from "@blkstack/bio";
import { type Bio, bioError, type Sectors } from "@blkstack/bio";
import type { EndIoResult } from "@blkstack/block";
import {
  type BlockDevice,
  type DeviceRange,
  defineTarget,
  MapResult,
  type QueueLimits,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";

/** What a test may make of the targets of a probe type; all at once. */
export interface ProbeBehaviour {
  readonly maxIoSectors?: Sectors;
  readonly ioLinesFrom?: Sectors;
  readonly copies?: number;
  readonly flushes?: number;
  readonly passesFlushes?: boolean;
  /** Instead of sending the bio down. */
  map?: (bio: Bio, target: Probe, task: Task) => Awaitable<MapResult> | undefined;
  endIo?: (bio: Bio) => EndIoResult;
  /** `presuspend`, `resume` …: told as they come; may throw. */
  event?: (what: string, begin: Sectors) => void;
  createPerBioData?: () => object;
}

/** Sends bios to a device like linear does, unless the test says otherwise. */
export class Probe implements Target {
  readonly takesNoWait = true;
  readonly context: TargetContext;
  readonly device: BlockDevice;
  readonly start: Sectors;
  readonly #behaviour: ProbeBehaviour;
  readonly maxIoSectors: Sectors;
  readonly ioLinesFrom: Sectors;
  readonly discardBios: number;
  readonly writeZeroesBios: number;
  readonly flushBios: number;
  readonly flushesPassThrough: boolean;
  declare readonly endIo?: (bio: Bio) => EndIoResult;

  constructor(context: TargetContext, behaviour: ProbeBehaviour) {
    this.context = context;
    this.#behaviour = behaviour;
    const [device = "", start = "0"] = context.args;
    this.device = context.openDevice(device);
    this.start = context.sector(start);
    this.maxIoSectors = behaviour.maxIoSectors ?? Infinity;
    this.ioLinesFrom = behaviour.ioLinesFrom ?? context.begin;
    this.discardBios = this.writeZeroesBios = behaviour.copies ?? 1;
    this.flushBios = behaviour.flushes ?? 1;
    this.flushesPassThrough = behaviour.passesFlushes ?? false;
    if (behaviour.endIo !== undefined) this.endIo = behaviour.endIo;
  }

  map(bio: Bio, task: Task): Awaitable<MapResult> {
    return this.#behaviour.map?.(bio, this, task) ?? this.sendDown(bio);
  }

  sendDown(bio: Bio): MapResult {
    bio.device = this.device;
    bio.sector += this.start - this.context.begin;
    return MapResult.Remapped;
  }

  status(kind: "info" | "table"): string {
    const { context, device, start } = this;
    return kind === "table" ? `${context.deviceLabel(device)} ${String(start)}` : "";
  }

  devices(): DeviceRange[] {
    const { device, start: startSector } = this;
    return [{ device, startSector, sizeSectors: this.context.sizeSectors }];
  }

  adjustLimits(limits: QueueLimits): void {
    limits.maxWriteZeroesSectors = 0xffff;
  }

  presuspend(): void {
    this.#tell("presuspend");
  }
  presuspendUndo(): void {
    this.#tell("presuspendUndo");
  }
  postsuspend(): void {
    this.#tell("postsuspend");
  }
  preresume(): void {
    this.#tell("preresume");
  }
  resume(): void {
    this.#tell("resume");
  }
  destroy(): void {
    this.#tell("destroy");
  }
  message(words: readonly string[]): string {
    return words.join("+");
  }

  #tell(what: string): void {
    this.#behaviour.event?.(what, this.context.begin);
  }
}

export function probeType(behaviour: ProbeBehaviour = {}, name = "probe"): TargetType {
  return defineTarget({
    name,
    version: [1, 0, 0],
    apiVersion: 1,
    ...(behaviour.createPerBioData && { createPerBioData: behaviour.createPerBioData }),
    create: (context) => new Probe(context, behaviour),
  });
}

/** No device, no flushes, no discards; every bio fails. */
export const failing: TargetType = defineTarget({
  name: "failing",
  version: [1, 0, 0],
  apiVersion: 1,
  create: () => ({ map: () => MapResult.Kill, status: () => "" }),
});

/** Takes every bio and ends it with `status` itself. */
export function endingType(status: BioStatus, name = "ending"): TargetType {
  return defineTarget({
    name,
    version: [1, 0, 0],
    apiVersion: 1,
    create: () => ({
      map(bio) {
        bioError(bio, status);
        return MapResult.Submitted;
      },
      status: () => "",
    }),
  });
}
