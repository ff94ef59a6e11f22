import { type BioFlags, BioOp, type BioVec, type Sectors } from "@blkstack/bio";
import type { Awaitable, Task, Waitable } from "@blkstack/task";
import type { IoListener, IoRequest } from "./io-record.ts";
import { PageBuffer } from "./page-buffer.ts";
import { type IoRegion, ReusedRegion, setParts } from "./region.ts";

/** How a copy wants to be treated: one bit each. */
export const CopyFlag = {
  /** Goes on after an error: what could not be read is written as zeroes. */
  IgnoreError: 0x1,
  /** Writes each destination from its beginning to its end, in order. */
  WriteSeq: 0x2,
} as const;
/** An or of `CopyFlag` values. */
export type CopyFlags = number;

/** What is to be copied where. Read when the copy begins, and not afterwards. */
export interface CopyRequest {
  readonly source: IoRegion;
  /** Up to eight, each as long as the source. */
  readonly destinations: readonly IoRegion[];
  readonly flags?: CopyFlags;
}

/** What is to be zeroed. */
export type ZeroRequest = Omit<CopyRequest, "source">;

/** Who wants to know how a copy ended. */
export interface CopyListener {
  /**
   * `readErrors` is 1 when anything could not be read, else 0; bit `i` of `writeErrors` is set when
   * anything could not be written to destination `i`. Called once for each job.
   *
   * Runs on the client's one worker, never two at a time, and may begin other copies there.
   * Waits: may. All else that the client has to do waits with it, the next call too; so it must not
   * wait for another job of the same client.
   */
  copyEnded(readErrors: number, writeErrors: number, task: Task): Awaitable<void>;
  /** Of a prepared callback: who will have it called, such as a bio. For the wait-for graph. */
  blockers?(): readonly object[];
}

/** What a job does. */
export const JobKind = { Copy: 0, Zero: 1, Callback: 2 } as const;
export type JobKind = (typeof JobKind)[keyof typeof JobKind];

/** Where a job is, which is to say what it waits for. */
export const JobState = {
  /** For the worker. */
  Listed: 0,
  Pages: 1,
  Io: 2,
  /** For its sub-jobs. */
  Split: 3,
  /** For whoever prepared it. */
  Prepared: 4,
} as const;
export type JobState = (typeof JobState)[keyof typeof JobState];

/** Whoever works on jobs, and knows what they wait for. */
export interface JobOwner {
  /** Interrupt context. */
  ioEnded(job: CopyJob, errorBits: bigint): void;
  blockersOf(job: CopyJob): readonly object[];
}

const NO_REGIONS: readonly IoRegion[] = [];
const STATE_NAMES = ["listed", "waiting for pages", "in flight", "split", "prepared"];

/**
 * One copy, or a segment of a long one. A job brings its sub-jobs along, so that whoever has one
 * needs no more memory for jobs.
 */
export class CopyJob implements IoRequest, IoListener, Waitable {
  next: CopyJob | null = null;
  state: JobState = JobState.Listed;
  kind: JobKind = JobKind.Copy;
  listener: CopyListener | null = null;
  copyFlags: CopyFlags = 0;
  sectors: Sectors = 0;
  readErrors = 0;
  writeErrors = 0;
  /** Of a copy: what is read into, and then written from. */
  readonly buffer: PageBuffer = new PageBuffer();
  /** Itself, unless it is a sub-job. */
  readonly master: CopyJob;
  readonly subJobs: readonly CopyJob[];

  // What dm-io is asked for.
  op: BioOp = BioOp.Read;
  readonly flags: BioFlags = 0;
  regions: readonly IoRegion[] = NO_REGIONS;
  memory: BioVec[];

  /** None, or the one. */
  readonly sources: ReusedRegion[] = [];
  readonly destinations: ReusedRegion[] = [];

  /** Sub-jobs that work on a segment. */
  liveSubJobs = 0;
  /** Sectors from the beginning on that sub-jobs have claimed. */
  claimedSectors: Sectors = 0;
  /** Sectors from the beginning on whose writes were started, where that is in order. */
  startedSectors: Sectors = 0;
  /** Where the segment of a sub-job begins in its master. */
  offsetSectors: Sectors = 0;
  readonly #owner: JobOwner;

  constructor(owner: JobOwner, subJobCount: number, master?: CopyJob) {
    this.#owner = owner;
    this.master = master ?? this;
    this.memory = this.buffer.vecs;
    this.subJobs = Array.from({ length: subJobCount }, () => new CopyJob(owner, 0, this));
  }

  get label(): string {
    const what = this.kind === JobKind.Copy ? "copy" : "zero";
    const [to] = this.destinations;
    if (this.kind === JobKind.Callback || to === undefined) return "callback";
    const range = `[${String(to.sector)}..${String(to.sector + this.sectors)})`;
    return `${what} to ${to.device.name} ${range}, ${STATE_NAMES[this.state] ?? ""}`;
  }

  blockers(): readonly object[] {
    return this.#owner.blockersOf(this);
  }

  /** Whether an error ends the whole job. */
  get isGivenUp(): boolean {
    const { copyFlags, readErrors, writeErrors } = this.master;
    return (readErrors | writeErrors) !== 0 && (copyFlags & CopyFlag.IgnoreError) === 0;
  }

  /** Whether its I/O may start, as far as the order of writes is concerned. */
  get isStartable(): boolean {
    const { master } = this;
    if ((master.copyFlags & CopyFlag.WriteSeq) === 0 || this.op === BioOp.Read) return true;
    // Behind a segment that failed, the turn of the others never comes.
    return this.offsetSectors === master.startedSectors || this.isGivenUp;
  }

  setSource(source: IoRegion): void {
    const { sources } = this;
    let [part] = sources;
    if (part === undefined) sources.push((part = new ReusedRegion(source.device)));
    part.setPart(source, 0, source.sectors);
  }

  /** Begins a job that is nobody's part. */
  begin(kind: JobKind, listener: CopyListener): void {
    this.kind = kind;
    this.op = BioOp.Read;
    this.memory = this.buffer.vecs;
    this.listener = listener;
    this.copyFlags = 0;
    this.sectors = 0;
    this.claimedSectors = 0;
    this.startedSectors = 0;
    this.offsetSectors = 0;
    this.readErrors = 0;
    this.writeErrors = 0;
  }

  /** Makes `sub` the next segment of this job; false when there is none, or no point in it. */
  claim(sub: CopyJob, sectorsMax: Sectors): boolean {
    const left = this.sectors - this.claimedSectors;
    if (left === 0 || this.isGivenUp) return false;
    const sectors = Math.min(left, sectorsMax);
    sub.kind = this.kind;
    sub.op = this.op;
    // Zeroes are there for all to share; what is copied is each piece's own.
    sub.memory = this.kind === JobKind.Zero ? this.memory : sub.buffer.vecs;
    sub.sectors = sectors;
    sub.offsetSectors = this.claimedSectors;
    sub.readErrors = 0;
    sub.writeErrors = 0;
    setParts(sub.sources, this.sources, this.claimedSectors, sectors);
    setParts(sub.destinations, this.destinations, this.claimedSectors, sectors);
    this.claimedSectors += sectors;
    return true;
  }

  /** Gives the errors of a segment to its master. */
  mergeInto(master: CopyJob): void {
    master.readErrors |= this.readErrors;
    master.writeErrors |= this.writeErrors;
  }

  ioEnded(errorBits: bigint): void {
    this.#owner.ioEnded(this, errorBits);
  }
}
