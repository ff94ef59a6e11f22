import { type Bio, bioEndio, bioError, BioOp, BioStatus, type Sectors } from "@blkstack/bio";
import { type BlockDevice, BlockError, type QueueLimits, RequestQueue } from "@blkstack/block";
import { restoreNoIo, saveNoIo } from "@blkstack/memory";
import {
  type Access,
  AccessMode,
  GfpBit,
  isPending,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";
import type { BackingFile } from "./backing-file.ts";
import {
  checkBinding,
  type CheckedBinding,
  type LoopBinding,
  refuseSelfBacking,
} from "./binding.ts";
import { CommandQueue } from "./command-queue.ts";
import { limitsOver } from "./limits.ts";
import { serveCommand } from "./serve-command.ts";

export interface LoopDeviceOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** How many commands may be with the file at a time; 1 unless told. */
  readonly workers?: number;
  /**
   * Whether workers allocate without starting I/O: true unless told. Without it a worker that is
   * short of memory may wait for the very commands that it is to serve.
   */
  readonly workerNoIo?: boolean;
}

type LoopState = "unbound" | "binding" | "bound" | "unbinding";

/** One of the tasks that serve commands; it is there only while there are some. */
interface Worker {
  readonly item: WorkItem;
  isBusy: boolean;
}

/**
 * A file as a block device. Bios go into a queue, a worker takes them one after the other, does with
 * the file what they ask, and ends them.
 *
 * So whoever submits never waits, whatever the filesystem is waiting for; but any I/O to the device
 * may need the locks of that filesystem. Whoever waits for such I/O must hold none of them.
 *
 * Taught by "dm-bufio: Drop __GFP_FS" and its neighbours (2014 to 2020).
 */
export class LoopDevice implements BlockDevice, Waitable {
  readonly name: string;
  readonly label: string;
  readonly queue: RequestQueue;
  readonly #scheduler: Scheduler;
  readonly #workerNoIo: boolean;
  readonly #commands = new CommandQueue();
  readonly #workers: readonly Worker[];
  readonly #workQueue: WorkQueue;
  readonly #ended: WaitQueue;
  readonly #add: Access;
  readonly #take: Access;
  readonly #finish: Access;
  readonly #turn: Access;
  #state: LoopState = "unbound";
  #binding: CheckedBinding | null = null;
  /** What the file allocated its pages with before it was bound. */
  #savedGfp = 0;

  constructor({ name, scheduler, workers = 1, workerNoIo = true }: LoopDeviceOptions) {
    if (!Number.isInteger(workers) || workers < 1) {
      const message = `loop device "${name}": ${String(workers)} workers; give a whole number from 1 on`;
      throw new BlockError("BLK_DEVICE", "EINVAL", message);
    }
    this.name = name;
    this.label = `loop device ${name}`;
    this.queue = new RequestQueue(name, limitsOver(null, 512));
    this.#scheduler = scheduler;
    this.#workerNoIo = workerNoIo;
    this.#workers = Array.from({ length: workers }, () => this.#createWorker());
    // Reclaim may depend on it: there must be a worker however little memory is left.
    this.#workQueue = new WorkQueue({
      scheduler,
      name,
      reclaimGuaranteed: true,
      maxActive: workers,
    });
    this.#ended = new WaitQueue(`commands of ${name} to end`, {
      blockers: () => this.blockers(),
      endsBy: "all",
    });
    this.#add = { object: this, mode: AccessMode.Write, label: `queue on ${name}` };
    this.#take = { object: this, mode: AccessMode.Write, label: `take from ${name}` };
    this.#finish = { object: this, mode: AccessMode.Write, label: `done for ${name}` };
    this.#turn = { object: this, mode: AccessMode.Write, label: `bind or unbind ${name}` };
  }

  /** 0 while nothing is bound. */
  get sizeSectors(): Sectors {
    return this.#binding?.sizeSectors ?? 0;
  }

  get isReadOnly(): boolean {
    return this.#binding?.isReadOnly ?? false;
  }

  /** What it is bound to. */
  get file(): BackingFile | null {
    return this.#binding?.file ?? null;
  }

  /** The bios that wait for a worker or are with one: a place, for the reports of an explorer. */
  get commands(): Iterable<Bio> {
    return this.#commands;
  }

  /** Who moves the commands on. */
  servedBy(): readonly object[] {
    return this.#workers.filter(({ isBusy }) => isBusy).map(({ item }) => item);
  }

  /** The commands that have not ended. */
  blockers(): readonly object[] {
    return [...this.#commands];
  }

  /**
   * Lets the device stand on a file. The file stays its owner's, who closes it after `unbind`.
   *
   * Throws a BlockError: EBUSY when something is bound; EINVAL for a file or a range that cannot be a
   * device; EBADF when it would stand on itself. Waits: for driver calls to return.
   */
  async bind(binding: LoopBinding, task: Task): Promise<void> {
    await this.#scheduler.mayPreempt(task, this.#turn);
    this.#expect("unbound", "EBUSY", "it is bound already; unbind it first");
    const checked = checkBinding(this.name, binding);
    const { file, blockBytes } = checked;
    refuseSelfBacking(this, file);
    this.#binding = checked;
    this.#state = "binding";
    this.#savedGfp = file.pageCacheGfp ?? 0;
    // A page for the data of a command must not wait for I/O that may need the next command.
    if (file.pageCacheGfp !== undefined) file.pageCacheGfp &= ~(GfpBit.Io | GfpBit.Fs);
    await this.queue.freeze(task);
    this.queue.limits = limitsOver(file, blockBytes);
    this.#scheduler.touch(this.#turn);
    this.#state = "bound";
    this.queue.unfreeze(task);
  }

  /**
   * Ends what was submitted and lets go of the file. Bios that come later end with IoError. Nothing is
   * made durable but what was flushed.
   *
   * Throws a BlockError, ENXIO, when nothing is bound, or somebody unbinds it already. Waits: until
   * every command has ended.
   */
  async unbind(task: Task): Promise<void> {
    await this.#scheduler.mayPreempt(task, this.#turn);
    this.#expect("bound", "ENXIO", "nothing is bound");
    this.#state = "unbinding";
    await this.#ended.waitUntil(task, () => this.#commands.isEmpty);
    this.#scheduler.touch(this.#turn);
    const { file } = this;
    if (file?.pageCacheGfp !== undefined) file.pageCacheGfp = this.#savedGfp;
    this.#binding = null;
    this.#state = "unbound";
  }

  /** Waits: never, so that nobody holds anything while the filesystem makes a command wait. */
  submitBio(bio: Bio): void {
    this.#scheduler.touch(this.#add);
    if (this.#state !== "bound") {
      bioError(bio, BioStatus.IoError);
      return;
    }
    this.#commands.add(bio);
    this.#callWorker();
  }

  #expect(state: LoopState, errno: "EBUSY" | "ENXIO", problem: string): void {
    if (this.#state === state) return;
    throw new BlockError("BLK_STATE", errno, `loop device "${this.name}": ${problem}`);
  }

  #createWorker(): Worker {
    const item = new WorkItem(`commands of ${this.name}`, (task) => this.#work(worker, task));
    const worker: Worker = { item, isBusy: false };
    return worker;
  }

  #callWorker(): void {
    if (!this.#commands.hasNext) return;
    const worker = this.#workers.find(({ isBusy }) => !isBusy);
    if (worker === undefined) return;
    worker.isBusy = true;
    this.#workQueue.queue(worker.item);
  }

  async #work(worker: Worker, task: Task): Promise<void> {
    const saved = this.#workerNoIo ? saveNoIo(task) : null;
    try {
      await this.#serveAll(task);
    } finally {
      worker.isBusy = false;
      if (saved !== null) restoreNoIo(task, saved);
    }
  }

  async #serveAll(task: Task): Promise<void> {
    for (;;) {
      const turn = this.#scheduler.mayPreempt(task, this.#take);
      if (turn !== undefined) await turn;
      const bio = this.#commands.take();
      if (bio === null || this.#binding === null) return;
      // The next command need not wait for this one, if there is another worker.
      this.#callWorker();
      let status: BioStatus = BioStatus.IoError;
      try {
        const served = serveCommand(bio, this.#binding, task);
        status = isPending(served) ? await served : served;
      } finally {
        // Even if the file has a defect and throws, nobody waits for ever.
        this.#end(bio, status);
      }
    }
  }

  #end(bio: Bio, status: BioStatus): void {
    this.#scheduler.touch(this.#finish);
    this.#commands.finish(bio);
    if (status === BioStatus.NotSupported) this.#clearCapability(bio.op);
    // Only errors are written: a driver above may have put one there already.
    if (status !== BioStatus.Ok) bio.status = status;
    bioEndio(bio);
    if (this.#commands.isEmpty) this.#ended.wakeAll();
  }

  /** What the file has refused once it is not asked for again. */
  #clearCapability(op: BioOp): void {
    const cleared: Partial<QueueLimits> =
      op === BioOp.Discard ? { maxDiscardSectors: 0 } : { maxWriteZeroesSectors: 0 };
    this.queue.limits = { ...this.queue.limits, ...cleared };
  }
}
