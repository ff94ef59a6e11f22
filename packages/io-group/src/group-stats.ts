import { type Bio, invariant } from "@blkstack/bio";
import type { PerCpuBlock } from "@blkstack/memory";
import {
  bucketOf,
  GROUP_STAT_WORDS,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_WORD,
  StatFamily,
  StatKind,
  statKindOf,
} from "./stat-words.ts";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const IOS = StatFamily.Ios;
const SYNC = StatKind.Sync;
const ASYNC = StatKind.Async;

/**
 * What a group has counted, on all cpus. Each cpu adds to words of its own, without a lock; who
 * reads sums them up, and may see one word of an event and not yet the other.
 */
export class GroupStats {
  readonly block: PerCpuBlock;
  readonly #values: Float64Array;
  readonly #strideWords: number;

  /** `block`: of `GROUP_STAT_WORDS` words, all 0. */
  constructor(block: PerCpuBlock) {
    invariant(block.words === GROUP_STAT_WORDS, "statistics in a block of another size");
    this.block = block;
    this.#values = block.values;
    this.#strideWords = block.strideWords;
  }

  /** One bio has gone down. Waits: never. */
  countIo(bio: Bio, cpu: number): void {
    // Straight on, for this is done for each bio that goes anywhere.
    const values = this.#values;
    const first = this.#firstWordOf(cpu);
    const kind = first + statKindOf(bio);
    const sync = first + (bio.isSync ? SYNC : ASYNC);
    const bytes = bio.sizeBytes;
    values[kind] = (values[kind] ?? 0) + bytes;
    values[sync] = (values[sync] ?? 0) + bytes;
    values[kind + IOS] = (values[kind + IOS] ?? 0) + 1;
    values[sync + IOS] = (values[sync + IOS] ?? 0) + 1;
  }

  /** One bio has become part of another one. Waits: never. */
  countMerged(bio: Bio, cpu: number): void {
    this.#count(StatFamily.Merged, bio, 1, cpu);
  }

  /** One bio was held back for so long, 0 included. Waits: never. */
  countHeld(bio: Bio, heldMs: number, cpu: number): void {
    if (heldMs > 0) this.#count(StatFamily.HeldMs, bio, heldMs, cpu);
    this.#add(HISTOGRAM_WORD + bucketOf(heldMs), 1, cpu);
  }

  get(family: StatFamily, kind: StatKind): number {
    return this.#sum(family + kind);
  }

  /** How many bios were held back for how long: see `HISTOGRAM_BUCKETS`. */
  heldHistogram(): number[] {
    return Array.from({ length: HISTOGRAM_BUCKETS }, (_, n) => this.#sum(HISTOGRAM_WORD + n));
  }

  /** All counts to 0, for all cpus; what is counted meanwhile may be lost or stay. Waits: never. */
  reset(): void {
    this.#assertLive();
    this.#values.fill(0);
  }

  #count(family: StatFamily, bio: Bio, amount: number, cpu: number): void {
    this.#add(family + statKindOf(bio), amount, cpu);
    this.#add(family + (bio.isSync ? StatKind.Sync : StatKind.Async), amount, cpu);
  }

  #add(word: number, amount: number, cpu: number): void {
    const at = this.#firstWordOf(cpu) + word;
    this.#values[at] = (this.#values[at] ?? 0) + amount;
  }

  #firstWordOf(cpu: number): number {
    this.#assertLive();
    const first = cpu * this.#strideWords;
    if (first >= this.#values.length) {
      invariant(false, `statistics of cpu ${String(cpu)}, which is not there`);
    }
    return first;
  }

  #sum(word: number): number {
    this.#assertLive();
    return this.block.sum(word);
  }

  #assertLive(): void {
    if (!this.block.isLive) invariant(false, "use after free: statistics of a group");
  }
}
