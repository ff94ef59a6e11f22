import { type Bio, bioError, BioList, BioStatus } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { WorkItem, WorkQueue } from "@blkstack/task";
import { type Access, AccessMode, type Scheduler, type Task, type Waitable } from "@blkstack/task";

/** Bios that a mapped device keeps for later, and the worker that then submits them again. */
export class DeferredBios implements Waitable {
  readonly label: string;
  /** Whether the bios must stay; to be followed by `kick` once they need not. */
  isHeld = false;
  /** Whether bios are being given back, which must stay until that is over: then call `kick`. */
  isCollecting = false;
  readonly #scheduler: Scheduler;
  readonly #submitter: Submitter;
  /** Bios that were under way already and came back: before all others, in order. */
  readonly #pushedBack = new BioList();
  readonly #arrived = new BioList();
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  readonly #adding: Access;

  constructor(deviceName: string, scheduler: Scheduler, submitter: Submitter) {
    this.label = `deferred bios of ${deviceName}`;
    this.#scheduler = scheduler;
    this.#submitter = submitter;
    this.#queue = new WorkQueue({
      scheduler,
      name: `kdmflush/${deviceName}`,
      reclaimGuaranteed: true,
      maxActive: 1,
    });
    this.#work = new WorkItem(`deferred bios of ${deviceName}`, (task) => this.#submitAll(task));
    this.#adding = { object: this, mode: AccessMode.Write, label: `defer in ${deviceName}` };
  }

  get count(): number {
    return this.#pushedBack.size + this.#arrived.size;
  }

  /** Nobody in particular: whoever suspended the device is to resume it. */
  blockers(): readonly object[] {
    return [];
  }

  /** Keeps a bio until the worker comes to it. Waits: never. */
  add(bio: Bio): void {
    this.#scheduler.touch(this.#adding);
    this.#arrived.add(bio);
    this.kick();
  }

  /** Keeps a bio that had been under way, before those that only arrived. Waits: never. */
  addPushedBack(bio: Bio): void {
    this.#scheduler.touch(this.#adding);
    this.#pushedBack.add(bio);
    this.kick();
  }

  /** Has the worker submit what is there, unless it is held. Waits: never. */
  kick(): void {
    if (this.isHeld) return;
    const canGoOn = !this.#pushedBack.isEmpty && !this.isCollecting;
    if (canGoOn || !this.#arrived.isEmpty) this.#queue.queue(this.#work);
  }

  /** Waits: until the worker has finished what it was about. */
  async drain(task: Task): Promise<void> {
    await this.#queue.flush(this.#work, task);
  }

  /** Ends all with an I/O error: the device goes away, and nobody would ever come to them. */
  fail(): void {
    for (const list of [this.#pushedBack, this.#arrived]) {
      for (let bio = list.pop(); bio !== null; bio = list.pop()) bioError(bio, BioStatus.IoError);
    }
  }

  /** Ends the worker; nothing may be added any more. */
  async destroy(task: Task): Promise<void> {
    this.fail();
    await this.#queue.destroy(task);
  }

  #next(): Bio | null {
    this.#scheduler.touch(this.#adding);
    if (this.isHeld) return null;
    const returned = this.isCollecting ? null : this.#pushedBack.pop();
    return returned ?? this.#arrived.pop();
  }

  async #submitAll(task: Task): Promise<void> {
    for (;;) {
      const bio = this.#next();
      if (bio === null) return;
      await this.#submitter.submitBio(bio, task);
    }
  }
}
