import {
  BioOp,
  type Bytes,
  createVecs,
  invariant,
  type Page,
  PAGE_BYTES,
  SECTOR_BYTES,
} from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { type Memory, type PageAllocator, Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import {
  type Access,
  AccessMode,
  type Awaitable,
  GFP_NOIO,
  isPending,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";
import {
  checkDestinations,
  checkPercent,
  checkSubJob,
  lengthOf,
  SUB_JOB_BYTES_MAX,
} from "./checks.ts";
import { Copier } from "./copier.ts";
import { DmIoClient, reserved } from "./dm-io.ts";
import {
  CopyJob,
  type CopyListener,
  type CopyRequest,
  JobKind,
  type JobOwner,
  JobState,
  type ZeroRequest,
} from "./job.ts";
import { PageReserve, type PageSource } from "./page-reserve.ts";
import { type IoRegion, setParts } from "./region.ts";
import { Throttle } from "./throttle.ts";

/** How many pieces of one long copy are under way at a time. */
const SUB_JOBS = 8;
const SUB_JOB_BYTES: Bytes = 512 * 1024;
const JOB_RESERVE = 8;
/** What a job takes with its sub-jobs, about: it is for a budget. */
const JOB_BYTES: Bytes = 4096;

const ZEROES: Page = { bytes: new Uint8Array(PAGE_BYTES), frame: 0 };
/** As much memory as the longest piece has, all of it the same page. */
const ZERO_MEMORY = createVecs(SUB_JOB_BYTES_MAX / PAGE_BYTES).map((vec) => {
  return Object.assign(vec, { page: ZEROES, length: PAGE_BYTES });
});

export interface KcopydClientOptions {
  /** The client is called `kcopyd "NAME"`. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** Where pages come from while there are some. */
  readonly pages: PageAllocator;
  /** The way down. It is to cut bios that a device cannot take at once. */
  readonly submitter: Submitter;
  /** The longest piece that is copied at once; whole pages, up to 1 MiB; 512 KiB unless told. */
  readonly subJobBytes?: Bytes;
  /** Jobs that can be under way with no memory at all; 8 unless told, at least 1. */
  readonly jobReserve?: number;
  /** What is behind `pages` when there are none; a `PageReserve` of one piece, unless told. */
  readonly pageSource?: PageSource;
  /** Percentage of time in which I/O may be under way; 100, no throttle, unless told. */
  readonly throttlePercent?: number;
}

/** A job that was prepared with `prepareCallback`. */
export interface PreparedCallback extends Waitable {
  /** Whose callback it is; null once it was called. */
  readonly listener: CopyListener | null;
}

/**
 * Copies ranges of devices in the background. One worker does everything, and calls the listeners.
 *
 * With no memory at all `jobReserve` jobs can be under way, and one piece at a time moves: pages are
 * held from the read of a piece to the end of its write, which needs nobody else's pages.
 *
 * As a `Waitable` it is what one waits for who waits for a copy.
 */
export class KcopydClient implements Waitable {
  readonly label: string;
  readonly #jobs: Mempool<CopyJob>;
  /** What its I/O goes through; nobody else's goes there. */
  readonly io: DmIoClient;
  readonly #pages: PageSource;
  readonly #throttle: Throttle;
  readonly #copier: Copier;
  readonly #idle: WaitQueue;
  /** Jobs whose listener has not returned. */
  #jobCount = 0;
  /** The job whose listener is being called: the first that the listener begins, sure not to wait. */
  #spare: CopyJob | null = null;
  readonly #scheduler: Scheduler;
  readonly #count: Access;

  /** Throws a `BlockError`: ENOMEM without memory for the reserves, EINVAL for sizes that are none. */
  constructor(options: KcopydClientOptions) {
    const { name, scheduler, memory, pages, submitter, throttlePercent = 100 } = options;
    const { subJobBytes = SUB_JOB_BYTES, jobReserve: minNr = JOB_RESERVE } = options;
    this.label = `kcopyd "${name}"`;
    this.#scheduler = scheduler;
    this.#count = { object: this, mode: AccessMode.Write, label: `count jobs of ${this.label}` };
    checkSubJob(this.label, subJobBytes);
    this.#idle = new WaitQueue(`end of ${this.label}`, this);
    this.#throttle = new Throttle(scheduler.clock, checkPercent(this.label, throttlePercent));
    const owner: JobOwner = {
      ioEnded: (job, errorBits) => {
        this.#copier.ioEnded(job, errorBits);
      },
      blockersOf: (job) => this.#copier.blockersOf(job),
    };
    const label = `jobs of ${this.label}`;
    const allocator = new Slab(memory, label, () => new CopyJob(owner, SUB_JOBS), {
      elementBytes: JOB_BYTES,
    });
    this.#jobs = reserved(() => new Mempool({ scheduler, label, allocator, minNr }));
    this.io = new DmIoClient({ name, scheduler, memory, submitter });
    this.#pages =
      options.pageSource ??
      new PageReserve(pages, subJobBytes / PAGE_BYTES, `page reserve of ${this.label}`);
    this.#copier = new Copier({
      name,
      scheduler,
      io: this.io,
      pages: this.#pages,
      throttle: this.#throttle,
      subJobSectors: subJobBytes / SECTOR_BYTES,
      endJob: (job, task) => this.#endJob(job, task),
      liveJobs: () => this.#liveJobs(),
    });
  }

  /** Jobs that were begun and whose listener has not returned. */
  get jobs(): number {
    return this.#jobCount;
  }

  /** Jobs in reserve. */
  get freeJobs(): number {
    return this.#jobs.currNr;
  }

  get throttlePercent(): number {
    return this.#throttle.percent;
  }

  set throttlePercent(percent: number) {
    this.#throttle.percent = checkPercent(this.label, percent);
  }

  /** The jobs under way, among them one whose listener is being called; known only while exploring. */
  blockers(): readonly object[] {
    return this.#jobs.blockers();
  }

  /**
   * Copies `source` to up to eight `destinations` of the same length, and tells `listener`. What
   * source and destination share has undefined contents afterwards. Never fails: errors are told.
   *
   * Waits: until a job of this client has ended, when there is no memory for one more. Not to be called
   * from inside a driver. The first job that a listener of this client begins in a call has the place
   * of the one that has ended, and does not wait; it must not count on a second one.
   */
  copy(request: CopyRequest, listener: CopyListener, task: Task): Awaitable<void> {
    checkDestinations(this.label, request.destinations, request.source.sectors);
    const job = this.#alloc(task);
    if (isPending(job)) {
      return job.then((late) => {
        this.#startCopy(late, request, listener);
      });
    }
    this.#startCopy(job, request, listener);
  }

  /**
   * Zeroes up to eight ranges of the same length, and tells `listener`. The devices do it themselves
   * if all of them can. Takes no pages. Waits: as `copy`.
   */
  zero(request: ZeroRequest, listener: CopyListener, task: Task): Awaitable<void> {
    checkDestinations(this.label, request.destinations, lengthOf(request.destinations));
    const job = this.#alloc(task);
    if (isPending(job)) {
      return job.then((late) => {
        this.#startZero(late, request, listener);
      });
    }
    this.#startZero(job, request, listener);
  }

  /**
   * Makes a job without I/O, for somebody who does the I/O himself and wants what follows to happen
   * where the listeners of copies are called. To be ended with `doCallback`. Waits: as `copy`.
   */
  prepareCallback(listener: CopyListener, task: Task): Awaitable<PreparedCallback> {
    const job = this.#alloc(task);
    return isPending(job)
      ? job.then((late) => this.#prepare(late, listener))
      : this.#prepare(job, listener);
  }

  /** Has the listener of a prepared job called with these errors. Waits: never; in interrupts too. */
  doCallback(prepared: PreparedCallback, readErrors: number, writeErrors: number): void {
    const job = prepared instanceof CopyJob ? prepared : null;
    if (job?.state !== JobState.Prepared) {
      invariant(false, `${this.label}: a callback is done that is not prepared`);
    }
    job.readErrors = readErrors;
    job.writeErrors = writeErrors;
    this.#copier.end(job);
  }

  /**
   * The end of the client. No job may be begun any more, but by a listener.
   *
   * Waits: until all jobs have ended and their listeners have returned; so never in a listener, where an
   * `InvariantError` says so.
   */
  destroy(task: Task): Promise<void> {
    if (task === this.#copier.worker) {
      invariant(false, `${this.label}: a listener would wait for its own end`);
    }
    const turn = this.#scheduler.mayPreempt(task, this.#count);
    return this.#destroyIdle(turn, task);
  }

  #startCopy(allocated: CopyJob | null, request: CopyRequest, listener: CopyListener): void {
    const { source, destinations, flags = 0 } = request;
    const job = this.#begin(allocated, JobKind.Copy, listener);
    job.copyFlags = flags;
    job.sectors = source.sectors;
    job.setSource(source);
    setParts(job.destinations, destinations, 0, source.sectors);
    this.#copier.start(job);
  }

  #startZero(allocated: CopyJob | null, request: ZeroRequest, listener: CopyListener): void {
    const { destinations, flags = 0 } = request;
    const job = this.#begin(allocated, JobKind.Zero, listener);
    job.copyFlags = flags;
    job.op = destinations.every(canZero) ? BioOp.WriteZeroes : BioOp.Write;
    job.memory = ZERO_MEMORY;
    job.sectors = lengthOf(destinations);
    setParts(job.destinations, destinations, 0, job.sectors);
    this.#copier.start(job);
  }

  #prepare(allocated: CopyJob | null, listener: CopyListener): PreparedCallback {
    const job = this.#begin(allocated, JobKind.Callback, listener);
    job.state = JobState.Prepared;
    return job;
  }

  #begin(job: CopyJob | null, kind: JobKind, listener: CopyListener): CopyJob {
    if (job === null) invariant(false, `${this.label}: no job although it may wait`);
    this.#countJob(1);
    job.begin(kind, listener);
    return job;
  }

  #alloc(task: Task): Awaitable<CopyJob | null> {
    const spare = this.#spare;
    if (spare === null || task !== this.#copier.worker) return this.#jobs.alloc(GFP_NOIO, task);
    this.#spare = null;
    return spare;
  }

  #endJob(job: CopyJob, task: Task): Awaitable<void> {
    const { listener, readErrors, writeErrors } = job;
    job.listener = null;
    this.#spare = job;
    const called = listener?.copyEnded(readErrors, writeErrors, task);
    if (isPending(called)) return this.#endLate(called);
    this.#listenerReturned();
  }

  async #endLate(called: Promise<void>): Promise<void> {
    await called;
    this.#listenerReturned();
  }

  #listenerReturned(): void {
    if (this.#spare !== null) this.#jobs.free(this.#spare);
    this.#spare = null;
    this.#countJob(-1);
    if (this.#jobCount === 0) this.#idle.wakeAll();
  }

  #countJob(more: number): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#count);
    this.#jobCount += more;
  }

  async #destroyIdle(turn: Promise<void> | undefined, task: Task): Promise<void> {
    if (turn !== undefined) await turn;
    await this.#idle.waitUntil(task, () => this.#jobCount === 0);
    this.#copier.stop();
    this.#pages.destroy();
    this.#jobs.destroy();
    await this.io.destroy(task);
  }

  #liveJobs(): readonly CopyJob[] {
    const jobs: CopyJob[] = [];
    for (const job of this.#jobs.blockers()) {
      if (job instanceof CopyJob) jobs.push(job, ...job.subJobs);
    }
    return jobs;
  }
}

function canZero({ device }: IoRegion): boolean {
  return device.queue.limits.maxWriteZeroesSectors > 0;
}
