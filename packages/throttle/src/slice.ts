import type { Bytes } from "@blkstack/bio";

/** Allowances are given out for so long at a time. */
export const SLICE_MS = 100;

const MS_PER_SECOND = 1000;
/** So much of the past is kept beside what a burst may still use. */
const KEPT_MS = 1000;
const IOS_MAX = 0xffff_ffff;

/**
 * What one direction of a group may do, and has done since `startMs`. All whole numbers, rounded
 * down; time in whole milliseconds. What a slice allows beyond whole bytes and bios is carried on.
 */
export class Slice {
  /** Bytes a second; Infinity: as many as it likes. */
  bps: number = Number.POSITIVE_INFINITY;
  /** Bios a second. */
  iops: number = Number.POSITIVE_INFINITY;
  /** How long allowances are kept that were not used. */
  burstMs = 0;
  /** Whether fractions of what a slice allows are lost with it instead, as they are in kernels. */
  dropsFractions = false;
  bytes: Bytes = 0;
  ios = 0;
  /** Allowed before `startMs` and no whole one: thousandths of bytes, and of bios. */
  #bytesRest = 0;
  #iosRest = 0;
  startMs: number = Number.NEGATIVE_INFINITY;
  endMs: number = Number.NEGATIVE_INFINITY;

  get isLimited(): boolean {
    return this.bps !== Infinity || this.iops !== Infinity;
  }

  /** Whether it says nothing about now. */
  isUsed(nowMs: number): boolean {
    return nowMs < this.startMs || nowMs > this.endMs;
  }

  /**
   * For how long a bio of so many bytes must wait; 0: it may go. `mustKeep`: a slice that has ended
   * is prolonged, because bios are queued that wait for it.
   */
  waitMs(bytes: Bytes, nowMs: number, mustKeep: boolean): number {
    if (!this.isLimited) return 0;
    if (this.isUsed(nowMs) && !mustKeep) this.#begin(nowMs);
    else this.#reach(nowMs + SLICE_MS);
    const elapsedMs = nowMs - this.startMs;
    const allowedMs = ceilToSlice(elapsedMs === 0 ? SLICE_MS : elapsedMs);
    const waitMs =
      this.#bytesWaitMs(bytes, elapsedMs, allowedMs) || this.#iosWaitMs(elapsedMs, allowedMs);
    if (waitMs > 0) this.#reach(nowMs + waitMs);
    return waitMs;
  }

  /** A bio goes. */
  charge(bytes: Bytes, nowMs: number): void {
    this.bytes += bytes;
    this.ios += 1;
    if (this.isLimited) this.#trim(nowMs);
  }

  /** Forgets what was done. */
  restart(nowMs: number): void {
    this.bytes = 0;
    this.ios = 0;
    this.#bytesRest = 0;
    this.#iosRest = 0;
    this.startMs = nowMs;
    this.endMs = nowMs + SLICE_MS;
  }

  /**
   * As `restart`, with the time since `earlierMs`, when a bio from below began to wait there. What
   * was done before that and had not been allowed yet is carried over.
   */
  restartFrom(earlierMs: number, nowMs: number): void {
    const { startMs, bytes, ios } = this;
    this.restart(nowMs);
    this.startMs = Math.min(nowMs, Math.max(startMs, earlierMs));
    const passedMs = this.startMs - startMs;
    this.bytes = owed(bytes, this.bps, passedMs);
    this.ios = owed(ios, this.iops, passedMs);
  }

  /** Begins anew. What was left of the past is kept, as far as it may. */
  #begin(nowMs: number): void {
    const creditMs = this.burstMs === 0 ? 0 : this.#creditMs(nowMs);
    this.restart(nowMs);
    this.startMs = nowMs - creditMs;
  }

  #creditMs(nowMs: number): number {
    return Math.min(this.burstMs, this.#leftMs(nowMs));
  }

  /** The time whose allowance was not used. */
  #leftMs(nowMs: number): number {
    const usedMs = Math.max(
      Math.ceil((this.bytes * MS_PER_SECOND) / this.bps),
      Math.ceil((this.ios * MS_PER_SECOND) / this.iops),
    );
    return Math.max(0, nowMs - this.startMs - usedMs);
  }

  #reach(untilMs: number): void {
    if (this.endMs < untilMs) this.endMs = ceilToSlice(untilMs);
  }

  #bytesWaitMs(bytes: Bytes, elapsedMs: number, allowedMs: number): number {
    if (this.bps === Infinity) return 0;
    const allowed = Math.floor((this.bps * allowedMs + this.#bytesRest) / MS_PER_SECOND);
    const excess = this.bytes + bytes - allowed;
    if (excess <= 0) return 0;
    return Math.max(1, Math.floor((excess * MS_PER_SECOND) / this.bps)) + allowedMs - elapsedMs;
  }

  #iosWaitMs(elapsedMs: number, allowedMs: number): number {
    if (this.iops === Infinity) return 0;
    const thousandths = this.iops * allowedMs + this.#iosRest;
    if (this.ios + 1 <= Math.min(IOS_MAX, Math.floor(thousandths / MS_PER_SECOND))) return 0;
    const dueMs = Math.floor(((this.ios + 1) * MS_PER_SECOND - this.#iosRest) / this.iops) + 1;
    return dueMs > elapsedMs ? dueMs - elapsedMs : 1;
  }

  /** Whole slices that have passed are settled: debts are carried on, allowances that nobody used end. */
  #trim(nowMs: number): void {
    if (this.isUsed(nowMs)) return;
    this.endMs = ceilToSlice(nowMs + SLICE_MS);
    if (this.burstMs > 0) this.#forgetBefore(nowMs);
    // What is kept for a burst is not rounded down each slice.
    const keptMs = this.burstMs === 0 ? 0 : this.#leftMs(nowMs) + KEPT_MS;
    const passed = Math.floor((nowMs - this.startMs - keptMs) / SLICE_MS);
    if (passed <= 0) return;
    const bytesThousandths = this.bps * SLICE_MS * passed + this.#bytesRest;
    const iosThousandths = this.iops * SLICE_MS * passed + this.#iosRest;
    const bytes = Math.floor(bytesThousandths / MS_PER_SECOND);
    const ios = Math.floor(iosThousandths / MS_PER_SECOND);
    if (bytes === 0 && ios === 0) return;
    this.#bytesRest = this.#restOf(bytesThousandths, bytes, this.bytes);
    this.#iosRest = this.#restOf(iosThousandths, ios, this.ios);
    this.bytes = Math.max(0, this.bytes - bytes);
    this.ios = Math.max(0, this.ios - ios);
    this.startMs += passed * SLICE_MS;
  }

  /** What is carried on of an allowance; nothing of one that was not used up. */
  #restOf(thousandths: number, whole: number, done: number): number {
    return this.dropsFractions || done < whole ? 0 : thousandths - whole * MS_PER_SECOND;
  }

  /** Allowances that are too old to be kept. */
  #forgetBefore(nowMs: number): void {
    const tooMuchMs = Math.floor(this.#leftMs(nowMs)) - this.burstMs;
    if (tooMuchMs > 0) this.startMs += tooMuchMs;
  }
}

/** The next multiple of the slice. */
function ceilToSlice(ms: number): number {
  return Math.ceil(ms / SLICE_MS) * SLICE_MS;
}

function owed(done: number, perSecond: number, passedMs: number): number {
  return done === 0 ? 0 : Math.max(0, done - Math.floor((perSecond * passedMs) / MS_PER_SECOND));
}
