import { type Bio, BioList, BioStatus, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  defineTarget,
  EndIoResult,
  MapResult,
} from "@blkstack/block";
import type { DeviceRange, StatusKind, Target, TargetContext } from "@blkstack/block";
import { type Access, AccessMode, type Task, WorkItem, WorkQueue } from "@blkstack/task";

/** A range of a device, where what fails is tried again: `retry DEVICE OFFSET TIMES`. */
export const retry = defineTarget({
  name: "retry",
  version: [1, 0, 0],
  apiVersion: 1,
  createPerBioData: () => new Attempt(),
  create: (context) => new Retry(context),
});

/** What is kept with each bio: how it was, for it has moved on by the time that it fails. */
class Attempt {
  timesLeft = 0;
  #sector = 0;
  #sizeBytes = 0;
  #vecIndex = 0;
  #vecDoneBytes = 0;

  begin(bio: Bio, times: number): void {
    this.timesLeft = times;
    this.#sector = bio.sector;
    this.#sizeBytes = bio.sizeBytes;
    this.#vecIndex = bio.vecIndex;
    this.#vecDoneBytes = bio.vecDoneBytes;
  }

  rewind(bio: Bio, device: BlockDevice): void {
    bio.device = device;
    bio.status = BioStatus.Ok;
    bio.sector = this.#sector;
    bio.sizeBytes = this.#sizeBytes;
    bio.vecIndex = this.#vecIndex;
    bio.vecDoneBytes = this.#vecDoneBytes;
  }

  get isFlush(): boolean {
    return this.#sizeBytes === 0;
  }
}

export class Retry implements Target {
  readonly flushBios = 1;
  readonly #context: TargetContext;
  readonly #device: BlockDevice;
  readonly #offset: Sectors;
  readonly #times: number;
  readonly #failed = new BioList();
  readonly #change: Access;
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  #retries = 0;

  constructor(context: TargetContext) {
    context.argumentCount(3);
    const [device = "", offset = "", times = ""] = context.args;
    if (!/^[0-9]$/.test(times)) throw context.error("Invalid number of times");
    this.#context = context;
    this.#device = context.openDevice(device);
    this.#offset = context.sector(offset);
    this.#times = Number(times);
    const name = `bios of ${context.deviceName} to try again`;
    const { scheduler } = context;
    this.#queue = new WorkQueue({ scheduler, name, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(name, (task) => this.#submitAgain(task));
    this.#change = { object: this.#work, mode: AccessMode.Write, label: `change ${name}` };
  }

  map(bio: Bio): MapResult {
    bio.device = this.#device;
    bio.sector += this.#offset - this.#context.begin;
    this.#attemptOf(bio).begin(bio, this.#times);
    return MapResult.Remapped;
  }

  /** A flush is not tried again: what it could not save may be gone by then. */
  endIo(bio: Bio): EndIoResult {
    const attempt = this.#attemptOf(bio);
    if (bio.status !== BioStatus.IoError || attempt.isFlush || attempt.timesLeft === 0) {
      return EndIoResult.Done;
    }
    attempt.timesLeft -= 1;
    attempt.rewind(bio, this.#device);
    this.#context.scheduler.touch(this.#change);
    this.#failed.add(bio);
    this.#queue.queue(this.#work);
    return EndIoResult.Incomplete;
  }

  status(kind: StatusKind): string {
    if (kind === "info") return String(this.#retries);
    const label = this.#context.deviceLabel(this.#device);
    return `${label} ${String(this.#offset)} ${String(this.#times)}`;
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ device: this.#device, startSector: this.#offset, sizeSectors }];
  }

  message(words: readonly string[]): string {
    if (words.join(" ") !== "reset") {
      throw new BlockError("BLK_STATE", "EINVAL", `unknown message "${words.join(" ")}"`);
    }
    this.#retries = 0;
    return "";
  }

  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  /** In a worker: to submit may mean to wait. */
  async #submitAgain(task: Task): Promise<void> {
    for (let bio = this.#takeFailed(); bio !== null; bio = this.#takeFailed()) {
      this.#retries += 1;
      await this.#context.submitter.submitBio(bio, task);
    }
  }

  #takeFailed(): Bio | null {
    this.#context.scheduler.touch(this.#change);
    return this.#failed.pop();
  }

  #attemptOf(bio: Bio): Attempt {
    return this.#context.perBioData(bio) as Attempt;
  }
}
