import { Bio, bioEndio, BioFlag, BioOp, BioStatus, bioViews, SECTOR_BYTES } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  EndIoResult,
  ExtentFlag,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { type Access, AccessMode, GFP_NOIO, Mutex, type Task, Timer } from "@blkstack/task";

/** Maps its line to the front of a device. Right in every respect, for others to be wrong in one. */
export class Right implements Target {
  readonly flushBios: number = 1;
  readonly takesNoWait = true;
  readonly context: TargetContext;
  readonly device: BlockDevice;
  readonly #use: Access = { object: { label: "probe" }, mode: AccessMode.Read, label: "map" };

  constructor(context: TargetContext) {
    this.context = context;
    this.device = context.openDevice(context.args[0] ?? "");
  }

  map(bio: Bio, task: Task): MapResult | Promise<MapResult> {
    task.scheduler.touch(this.#use);
    return this.redirected(bio);
  }

  status(kind: StatusKind): string {
    return kind === "table" ? this.context.deviceLabel(this.device) : "";
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.context;
    return [{ device: this.device, startSector: 0, sizeSectors }];
  }

  protected redirected(bio: Bio): MapResult {
    bio.device = this.device;
    if (bio.sizeBytes > 0) bio.sector -= this.context.begin;
    return MapResult.Remapped;
  }
}

/** A kind of target called `probe`. */
export function typeOf(make: (context: TargetContext) => Target): TargetType {
  return defineTarget({
    name: "probe",
    version: [1, 0, 0],
    apiVersion: 1,
    create(context) {
      context.argumentCount(1);
      return make(context);
    },
  });
}

export class TellsNoDevice extends Right {
  override status(): string {
    return "";
  }
}

export class ClaimsSmallBlocks extends Right {
  adjustLimits(limits: { logicalBlockBytes: number }): void {
    limits.logicalBlockBytes = SECTOR_BYTES;
  }
}

export class WaitsInEndIo extends Right {
  endIo(): EndIoResult {
    const answered: unknown = Promise.resolve(EndIoResult.Done);
    return answered as EndIoResult;
  }
}

export class LosesEveryFifth extends Right {
  #count = 0;

  override map(bio: Bio): MapResult {
    this.#count += 1;
    return this.#count % 5 === 0 ? MapResult.Submitted : this.redirected(bio);
  }
}

export class EndsTwice extends Right {
  override map(bio: Bio): MapResult {
    if (bio.op !== BioOp.Read) return this.redirected(bio);
    bio.get();
    bioEndio(bio);
    bioEndio(bio);
    return MapResult.Submitted;
  }
}

export class FailsReadsAhead extends Right {
  override map(bio: Bio): MapResult {
    return (bio.flags & BioFlag.ReadAhead) === 0 ? this.redirected(bio) : MapResult.Kill;
  }
}

export class LetsDiscardsThrough extends Right {
  readonly discardBios = 1;
}

export class ForgetsTheRest extends Right {
  override map(bio: Bio): MapResult {
    bio.sizeBytes = Math.min(bio.sizeBytes, 8 * SECTOR_BYTES);
    return this.redirected(bio);
  }
}

export class WritesIntoItsSender extends Right {
  override map(bio: Bio): MapResult {
    if (bio.op === BioOp.Write) for (const memory of bioViews(bio)) memory[0] = 1;
    return this.redirected(bio);
  }
}

export class LooksBehindItsEnd extends Right {
  override map(bio: Bio): MapResult {
    this.redirected(bio);
    if (bio.sizeBytes > 0) bio.sector += 1;
    return MapResult.Remapped;
  }
}

export class SeesZeroesEverywhere extends Right {
  findExtent(_sector: number, extent: { flags: number }): void {
    extent.flags = ExtentFlag.Zero;
  }
}

export class SwallowsErrors extends Right {
  endIo(bio: Bio): EndIoResult {
    bio.status = BioStatus.Ok;
    return EndIoResult.Done;
  }
}

export class FlushesNothing extends Right {
  override map(bio: Bio): MapResult {
    if (bio.sizeBytes > 0) return this.redirected(bio);
    bioEndio(bio);
    return MapResult.Submitted;
  }
}

export class SaysItPassesFlushes extends FlushesNothing {
  readonly flushesPassThrough = true;
}

export class DropsFua extends Right {
  override map(bio: Bio): MapResult {
    bio.flags &= ~BioFlag.Fua;
    return this.redirected(bio);
  }
}

/** Holds a write for a while, whoever wants to suspend meanwhile. */
export class HoldsThroughSuspends extends Right {
  readonly #queue: Bio[] = [];
  readonly #timer: Timer = new Timer(this.context.scheduler, "hold", () => {
    this.#sendAll();
  });

  override map(bio: Bio): MapResult {
    this.redirected(bio);
    if (bio.op !== BioOp.Write) return MapResult.Remapped;
    this.#queue.push(bio);
    this.#timer.arm(50);
    return MapResult.Submitted;
  }

  #sendAll(): void {
    const bios = this.#queue.splice(0);
    this.context.scheduler.spawn("late sender", async (task) => {
      for (const bio of bios) await this.context.submitter.submitBio(bio, task);
    });
  }
}

export class GivesBackUnasked extends Right {
  override map(bio: Bio): MapResult {
    return bio.op === BioOp.Read ? MapResult.Requeue : this.redirected(bio);
  }
}

export class LeavesItsPool extends Right {
  readonly set: BioSet = poolOf(this.context);
}

/** What it learns of one bio is overwritten by the next while it waits. */
export class SharesWhatItKnows extends Right {
  readonly #lock = new Mutex("what is known");
  #sector = 0;

  override async map(bio: Bio, task: Task): Promise<MapResult> {
    this.#sector = bio.sector - this.context.begin;
    await this.#lock.lock(task);
    this.#lock.unlock(task);
    bio.device = this.device;
    if (bio.sizeBytes > 0) bio.sector = this.#sector;
    return MapResult.Remapped;
  }
}

/** Needs memory for each bio, and has none to fall back on. */
export class FailsWithoutMemory extends Right {
  override map(bio: Bio): MapResult {
    const isShort = this.context.service(Memory).fails("notes of the probe", GFP_NOIO);
    return isShort ? MapResult.Kill : this.redirected(bio);
  }
}

/** Two bios of its own for each of others, from one pool: enough of them for two at the same time. */
export class TakesTwoOfOnePool extends Right {
  readonly #set = poolOf(this.context);

  override async map(bio: Bio, task: Task): Promise<MapResult> {
    const first = await this.#set.alloc(GFP_NOIO, 0, task);
    const second = await this.#set.alloc(GFP_NOIO, 0, task);
    first?.put();
    second?.put();
    return this.redirected(bio);
  }

  async destroy(task: Task): Promise<void> {
    await this.#set.destroy(task);
  }
}

/** A bio of its own for each of others until that ends, and waits for it whoever asks. */
export class WaitsForAnybody extends Right {
  readonly #set = poolOf(this.context);
  readonly #kept = new Map<Bio, Bio | null>();

  override async map(bio: Bio, task: Task): Promise<MapResult> {
    this.#kept.set(bio, await this.#set.alloc(GFP_NOIO, 0, task));
    return this.redirected(bio);
  }

  endIo(bio: Bio): EndIoResult {
    this.#kept.get(bio)?.put();
    this.#kept.delete(bio);
    return EndIoResult.Done;
  }

  async destroy(task: Task): Promise<void> {
    await this.#set.destroy(task);
  }
}

export class PutsOffWhatIsDone extends Right {
  endIo(bio: Bio): EndIoResult {
    if ((bio.flags & BioFlag.NoWait) !== 0) bio.status = BioStatus.Again;
    return EndIoResult.Done;
  }
}

/** Looks after its device once more when the suspend is over. */
export class WorksWhileSuspended extends Right {
  readonly #timer: Timer = new Timer(this.context.scheduler, "look", () => {
    this.#look();
  });

  postsuspend(): void {
    this.#timer.arm(1000);
  }

  destroy(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const bio = new Bio();
    bio.device = this.device;
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Preflush;
    const { scheduler, submitter } = this.context;
    scheduler.spawn("look", (task) => submitter.submitBio(bio, task));
  }
}

/** Refuses everything from the first suspend on. */
export class DoesNotResume extends Right {
  #isSuspended = false;

  override map(bio: Bio): MapResult {
    return this.#isSuspended ? MapResult.Kill : this.redirected(bio);
  }

  postsuspend(): void {
    this.#isSuspended = true;
  }
}

function poolOf({ scheduler, service }: TargetContext): BioSet {
  return new BioSet({ name: "probe", scheduler, memory: service(Memory), poolSize: 4 });
}
