import { BioOp, PAGE_BYTES, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  type Scheduler,
  type Task,
  type Waitable,
} from "@blkstack/task";
import type { DmIoClient } from "./dm-io.ts";
import { CopyFlag, type CopyJob, JobKind, type JobOwner, JobState } from "./job.ts";
import { JobList } from "./job-list.ts";
import type { PageSource } from "./page-reserve.ts";
import type { Throttle } from "./throttle.ts";

const SECTORS_PER_PAGE: Sectors = PAGE_BYTES / SECTOR_BYTES;

export interface CopierOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly io: DmIoClient;
  readonly pages: PageSource;
  readonly throttle: Throttle;
  readonly subJobSectors: Sectors;
  /** Takes back a job that has ended, and tells its listener. */
  readonly endJob: (job: CopyJob, task: Task) => Awaitable<void>;
  /** The jobs that exist; for the wait-for graph. */
  readonly liveJobs: () => readonly CopyJob[];
}

/**
 * The worker of a copier: takes jobs from list to list, one step at a time.
 *
 * In each pass first what has ended, whose pages come back; then what waits for pages; then what has
 * them and waits for its I/O. So nothing waits for what the same pass could have brought.
 */
export class Copier implements JobOwner {
  /** Who does all this; what jobs on a list wait for. */
  readonly worker: Task;
  readonly #options: CopierOptions;
  readonly #callback = new JobList();
  readonly #complete = new JobList();
  readonly #pages = new JobList();
  readonly #io = new JobList();
  readonly #news: Waitable;
  readonly #reserve: Waitable;
  readonly #use: Access;
  /** Whether something was put on a list since the last pass began. */
  #hasNews = false;
  #isIdle = false;
  #isStopped = false;

  constructor(options: CopierOptions) {
    const { name, scheduler, pages, liveJobs } = options;
    this.#options = options;
    this.#news = { label: `work for kcopyd "${name}"`, blockers: liveJobs };
    this.#reserve = { label: pages.label, blockers: () => liveJobs().filter(hasPages) };
    const label = `lists of kcopyd "${name}"`;
    this.#use = { object: { label }, mode: AccessMode.Write, label: `use ${label}` };
    this.worker = scheduler.spawn(`kcopyd ${name}`, (task) => this.#serve(task));
  }

  /** Starts a job whose regions are set. Waits: never. */
  start(job: CopyJob): void {
    const { subJobSectors } = this.#options;
    if (job.sectors === 0) {
      this.end(job);
    } else if (job.sectors <= subJobSectors || job.op === BioOp.WriteZeroes) {
      this.#dispatch(job);
    } else {
      job.state = JobState.Split;
      for (const sub of job.subJobs) {
        if (!job.claim(sub, subJobSectors)) break;
        job.liveSubJobs += 1;
        this.#dispatch(sub);
      }
    }
  }

  /** Has the listener of a job called. Waits: never; from interrupt context too. */
  end(job: CopyJob): void {
    this.#put(job, this.#callback, JobState.Listed);
  }

  /** Lets the worker end, once it has nothing to do. Waits: never. */
  stop(): void {
    this.#tellUse();
    this.#isStopped = true;
    this.#wake();
  }

  /** Interrupt context. */
  ioEnded(job: CopyJob, errorBits: bigint): void {
    this.#options.throttle.ioEnded();
    const isRead = job.op === BioOp.Read;
    if (errorBits !== 0n) {
      if (isRead) job.readErrors = 1;
      else job.writeErrors |= Number(errorBits);
    }
    const goesOn = errorBits === 0n || (job.master.copyFlags & CopyFlag.IgnoreError) !== 0;
    if (isRead && goesOn) {
      // The pages that were read are those that are written.
      job.op = BioOp.Write;
      job.regions = job.destinations;
      this.#put(job, this.#io, JobState.Listed);
    } else {
      this.#put(job, this.#complete, JobState.Listed);
    }
  }

  blockersOf(job: CopyJob): readonly object[] {
    switch (job.state) {
      case JobState.Pages:
        return [this.#reserve];
      case JobState.Io:
        return this.#options.io.requestsOf(job);
      case JobState.Split:
        return job.subJobs.filter(({ sectors }) => sectors > 0);
      case JobState.Prepared:
        return job.listener?.blockers?.() ?? [];
      case JobState.Listed:
        return [this.worker];
    }
  }

  #dispatch(job: CopyJob): void {
    if (job.kind === JobKind.Copy) {
      job.op = BioOp.Read;
      job.regions = job.sources;
      this.#put(job, this.#pages, JobState.Listed);
    } else {
      job.regions = job.destinations;
      this.#put(job, this.#io, JobState.Listed);
    }
  }

  #put(job: CopyJob, list: JobList, state: JobState): void {
    this.#tellUse();
    job.state = state;
    list.push(job);
    this.#wake();
  }

  #wake(): void {
    this.#hasNews = true;
    // Only from this sleep: a worker that sleeps in a listener waits for something else.
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.worker.scheduler.wake(this.worker);
  }

  async #serve(task: Task): Promise<void> {
    const { scheduler, endJob } = this.#options;
    const complete = this.#complete;
    for (;;) {
      this.#tellUse();
      while (!this.#hasNews) {
        if (this.#isStopped) return;
        this.#isIdle = true;
        await scheduler.sleep(task, this.#news);
        this.#tellUse();
      }
      this.#hasNews = false;
      complete.takeAll(this.#callback);
      for (let job = complete.pop(); job !== null; job = complete.pop()) {
        if (job.buffer.pageCount > 0) this.#options.pages.giveBack(job.buffer);
        if (job.master !== job) this.#endSegment(job);
        else {
          const ending = endJob(job, task);
          if (isPending(ending)) await ending;
          this.#tellUse();
        }
      }
      this.#handOutPages();
      for (let job = this.#io.popStartable(); job !== null; job = this.#io.popStartable()) {
        const starting = this.#startIo(job, task);
        if (isPending(starting)) await starting;
        this.#tellUse();
      }
    }
  }

  /** Tells that the lists are about to be used; again after every wait. */
  #tellUse(): void {
    const { scheduler } = this.#options;
    if (scheduler.isExploring) scheduler.touch(this.#use);
  }

  #endSegment(job: CopyJob): void {
    const { master } = job;
    job.mergeInto(master);
    if (master.claim(job, this.#options.subJobSectors)) {
      this.#dispatch(job);
      return;
    }
    job.sectors = 0;
    master.liveSubJobs -= 1;
    if (master.liveSubJobs === 0) this.end(master);
  }

  /** In order: a job that cannot be served keeps its place, and those behind it theirs. */
  #handOutPages(): void {
    const { pages } = this.#options;
    for (let job = this.#pages.head; job !== null; job = this.#pages.head) {
      if (!pages.take(Math.ceil(job.sectors / SECTORS_PER_PAGE), job.buffer)) {
        job.state = JobState.Pages;
        return;
      }
      this.#pages.pop();
      job.state = JobState.Listed;
      this.#io.push(job);
    }
  }

  #startIo(job: CopyJob, task: Task): Awaitable<void> {
    const { throttle } = this.#options;
    if (job.op !== BioOp.Read && (job.master.copyFlags & CopyFlag.WriteSeq) !== 0) {
      if (job.isGivenUp) {
        this.#put(job, this.#complete, JobState.Listed);
        return;
      }
      job.master.startedSectors += job.sectors;
    }
    const admitted = throttle.admit(task);
    return isPending(admitted) ? this.#sendLate(admitted, job, task) : this.#send(job, task);
  }

  async #sendLate(admitted: Promise<void>, job: CopyJob, task: Task): Promise<void> {
    await admitted;
    await this.#send(job, task);
  }

  #send(job: CopyJob, task: Task): Awaitable<void> {
    job.state = JobState.Io;
    this.#options.throttle.ioStarted();
    return this.#options.io.io(job, job, task);
  }
}

function hasPages(job: CopyJob): boolean {
  return job.buffer.pageCount > 0;
}
