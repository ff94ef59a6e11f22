import { type Bio, BioList } from "@blkstack/bio";
import type { Submitter, TargetContext } from "@blkstack/block";
import { type Access, AccessMode, type Scheduler } from "@blkstack/task";
import { isPending, type Task, Timer, WorkItem, WorkQueue } from "@blkstack/task";

/** What is kept with every bio: when it may go on, and the how-manyth one it is. */
export class HeldBio {
  dueMs = 0;
  order = 0;
}

/** Bios that all wait equally long, and so fall due in the order in which they came. */
export class HeldLine {
  readonly delayMs: number;
  readonly bios: BioList = new BioList();
  count = 0;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }
}

/**
 * Bios that wait for their time, and go on in the order in which they fall due; those that fall due
 * together in the order in which they came. None of them takes memory besides its own.
 */
export class HeldBios {
  readonly #scheduler: Scheduler;
  readonly #submitter: Submitter;
  readonly #dataOf: TargetContext["perBioData"];
  readonly #lines: readonly HeldLine[];
  readonly #timer: Timer;
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  readonly #changing: Access;
  #lastOrder = 0;
  /** Up to this one they go on, whenever they are due. */
  #freeUpTo = 0;
  /** When the timer fires. */
  #armedMs = Infinity;

  constructor(lines: readonly HeldLine[], context: TargetContext) {
    const { scheduler, submitter, perBioData, deviceName } = context;
    this.#scheduler = scheduler;
    this.#submitter = submitter;
    this.#dataOf = perBioData;
    this.#lines = lines;
    const name = `delayed bios of ${deviceName}`;
    // To submit may wait, which a timer must not.
    this.#queue = new WorkQueue({ scheduler, name, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(name, (task) => this.#submitDue(task));
    this.#timer = new Timer(scheduler, name, () => {
      this.#armedMs = Infinity;
      this.#queue.queue(this.#work);
    });
    this.#changing = { object: this.#work, mode: AccessMode.Write, label: `change ${name}` };
  }

  /** Keeps a bio as long as those of its line wait, and submits it then. Waits: never. */
  add(bio: Bio, line: HeldLine): void {
    this.#scheduler.touch(this.#changing);
    const data = this.#heldBio(bio);
    this.#lastOrder += 1;
    data.order = this.#lastOrder;
    data.dueMs = this.#scheduler.clock.nowMs() + line.delayMs;
    line.bios.add(bio);
    line.count += 1;
    this.#armFor(data.dueMs);
  }

  /** Has those that are there submitted now. Waits: never. */
  releaseAll(): void {
    this.#scheduler.touch(this.#changing);
    this.#freeUpTo = this.#lastOrder;
    this.#queue.queue(this.#work);
  }

  /** Nothing may be held. Waits: for the worker. */
  async destroy(task: Task): Promise<void> {
    this.#timer.cancel();
    await this.#queue.destroy(task);
  }

  async #submitDue(task: Task): Promise<void> {
    for (let bio = this.#takeDue(); bio !== null; bio = this.#takeDue()) {
      const submitted = this.#submitter.submitBio(bio, task);
      if (isPending(submitted)) await submitted;
    }
  }

  /** Takes the next one that may go on; when there is none, sees to it that somebody asks again. */
  #takeDue(): Bio | null {
    this.#scheduler.touch(this.#changing);
    const line = this.#firstLine();
    if (line?.bios.head == null) return null;
    const { dueMs, order } = this.#heldBio(line.bios.head);
    if (order > this.#freeUpTo && dueMs > this.#scheduler.clock.nowMs()) {
      this.#armFor(dueMs);
      return null;
    }
    line.count -= 1;
    return line.bios.pop();
  }

  /** The line whose first bio is the first of all. */
  #firstLine(): HeldLine | null {
    let first: HeldLine | null = null;
    for (const line of this.#lines) {
      if (line.bios.head === null) continue;
      if (first?.bios.head == null || this.#isBefore(line.bios.head, first.bios.head)) first = line;
    }
    return first;
  }

  #isBefore(one: Bio, other: Bio): boolean {
    const [left, right] = [this.#heldBio(one), this.#heldBio(other)];
    return left.dueMs === right.dueMs ? left.order < right.order : left.dueMs < right.dueMs;
  }

  #armFor(dueMs: number): void {
    if (this.#armedMs <= dueMs) return;
    this.#armedMs = dueMs;
    this.#timer.arm(Math.max(0, dueMs - this.#scheduler.clock.nowMs()));
  }

  #heldBio(bio: Bio): HeldBio {
    return this.#dataOf(bio) as HeldBio;
  }
}
