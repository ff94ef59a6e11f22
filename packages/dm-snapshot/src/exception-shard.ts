import { DENSE_LARGEST, type DenseGroups } from "./dense-groups.ts";
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  DENSE_SPAN,
  GROUP_CHUNKS,
  hasOverflowed,
  markOverflowed,
  setSlotCount,
  setSpan,
  slotCount,
  spanAt,
  spanCount,
  spanOf,
  spanStart,
  wordAt,
} from "./exception-bucket.ts";
import { RemoveResult, type RunVisitor } from "./exception-run.ts";
import { hashOfGroup, homeOf } from "./group-hash.ts";

const WORD_VALUES = 2 ** 32;
/** The share of used slots at which a shard grows: above it the chains of full buckets get long. */
const FULLEST = 0.85;
/** What growing multiplies by: so little that right after it the table is still well filled. */
const GROWTH = 1.25;
const LEAST_BUCKETS = 4;
/** Below so many buckets (32 KiB) it grows twofold: few bytes to waste, and fewer moves. */
const SMALL_BUCKETS = 512;
/** So many slots of one group are put into a dense block when another one comes. */
const SLOTS_PER_GROUP = 3;

/**
 * A part of the exception table: buckets of seven slots; what does not fit goes on into the next
 * one. A slot is a run of up to eight exceptions, or a whole dense group.
 */
export class ExceptionShard {
  /** How many top bits of the hash all its groups share. */
  readonly depth: number;
  readonly #dense: DenseGroups;
  #buckets: number;
  #words: Uint32Array;
  /** The bits from 32 up of groups and new chunks; null as long as there are none. */
  #highs: Uint16Array | null = null;
  #slots = 0;

  constructor(depth: number, slotsExpected: number, dense: DenseGroups) {
    this.depth = depth;
    this.#dense = dense;
    this.#buckets = bucketsFor(slotsExpected);
    this.#words = new Uint32Array(this.#buckets * BUCKET_WORDS);
  }

  get slots(): number {
    return this.#slots;
  }

  get buckets(): number {
    return this.#buckets;
  }

  get memoryBytes(): number {
    return this.#words.byteLength + (this.#highs?.byteLength ?? 0);
  }

  /** Whether it should grow or be split before more is inserted. */
  get isFull(): boolean {
    return this.#slots >= this.#buckets * BUCKET_SLOTS * FULLEST;
  }

  /** The new chunk of chunk `within` of a group, or -1. */
  lookup(hash: number, group: number, within: number): number {
    if (this.#highs !== null) return this.#lookupWide(hash, group, within);
    if (group >= WORD_VALUES) return -1;
    const words = this.#words;
    const low = group >>> 0;
    let base = homeOf(hash, this.#buckets) * BUCKET_WORDS;
    for (;;) {
      const end = base + slotCount(words, base);
      for (let index = base; index < end; index += 1) {
        if (words[index] !== low) continue;
        const span = spanAt(words, base, index - base);
        const newWord = wordAt(words, index + BUCKET_SLOTS);
        const offset = within - spanStart(span);
        if (span === DENSE_SPAN) {
          const found = this.#dense.at(newWord, within);
          if (found >= 0) return found;
        } else if (offset >= 0 && offset < spanCount(span)) return newWord + offset;
      }
      if (!hasOverflowed(words, base)) return -1;
      base += BUCKET_WORDS;
      if (base === words.length) base = 0;
    }
  }

  /** Maps a chunk; false when it is mapped already: then nothing changes. There must be room. */
  insert(hash: number, group: number, within: number, newChunk: number): boolean {
    let longer = -1;
    let denseBlock = -1;
    let narrowSlots = 0;
    for (let bucket = homeOf(hash, this.#buckets); ; bucket = this.#after(bucket)) {
      const base = bucket * BUCKET_WORDS;
      const count = slotCount(this.#words, base);
      for (let slot = 0; slot < count; slot += 1) {
        if (!this.#isOf(base, slot, group)) continue;
        if (this.#valueIn(base, slot, within) >= 0) return false;
        const span = spanAt(this.#words, base, slot);
        if (span === DENSE_SPAN) denseBlock = wordAt(this.#words, base + BUCKET_SLOTS + slot);
        else {
          if (this.#newAt(base, slot) <= DENSE_LARGEST - GROUP_CHUNKS) narrowSlots += 1;
          if (this.#continues(base, slot, within, newChunk)) longer = base + slot;
        }
      }
      if (!hasOverflowed(this.#words, base)) break;
    }
    if (denseBlock >= 0 && newChunk <= DENSE_LARGEST) this.#dense.set(denseBlock, within, newChunk);
    else if (longer >= 0) this.#lengthen(longer, within, newChunk);
    else if (narrowSlots >= SLOTS_PER_GROUP && newChunk <= DENSE_LARGEST)
      this.#dense.set(this.#makeDense(hash, group), within, newChunk);
    else this.#place(hash, group, newChunk, spanOf(within, 1));
    return true;
  }

  /** Takes a chunk out, if it is at an end of its run. */
  remove(hash: number, group: number, within: number): RemoveResult {
    for (let bucket = homeOf(hash, this.#buckets); ; bucket = this.#after(bucket)) {
      const base = bucket * BUCKET_WORDS;
      const count = slotCount(this.#words, base);
      for (let slot = 0; slot < count; slot += 1) {
        if (!this.#isOf(base, slot, group)) continue;
        if (this.#valueIn(base, slot, within) < 0) continue;
        return this.#shorten(base, slot, within);
      }
      if (!hasOverflowed(this.#words, base)) return RemoveResult.Absent;
    }
  }

  forEachRun(visit: RunVisitor): void {
    const words = this.#words;
    for (let base = 0; base < words.length; base += BUCKET_WORDS) {
      const count = slotCount(words, base);
      for (let slot = 0; slot < count; slot += 1) {
        const firstOld = this.#groupAt(base, slot) * GROUP_CHUNKS;
        const newChunk = this.#newAt(base, slot);
        const span = spanAt(words, base, slot);
        if (span === DENSE_SPAN) this.#forEachDenseRun(firstOld, newChunk, visit);
        else visit(firstOld + spanStart(span), newChunk, spanCount(span));
      }
    }
  }

  /** Moves everything into more room. */
  grow(): void {
    const old = new ExceptionShard(this.depth, 0, this.#dense);
    old.#words = this.#words;
    old.#highs = this.#highs;
    const factor = this.#buckets < SMALL_BUCKETS ? 2 : GROWTH;
    this.#buckets = Math.ceil(this.#buckets * factor);
    this.#words = new Uint32Array(this.#buckets * BUCKET_WORDS);
    this.#highs = null;
    this.#slots = 0;
    old.#moveInto(this, this);
  }

  /** Two shards with what this one has, by the next bit of the hash. */
  split(): [zero: ExceptionShard, one: ExceptionShard] {
    // The hash is even, so each gets a half, but for a little that the room beyond it is for.
    const zero = new ExceptionShard(this.depth + 1, this.#slots / 2, this.#dense);
    const one = new ExceptionShard(this.depth + 1, this.#slots / 2, this.#dense);
    this.#moveInto(zero, one);
    return [zero, one];
  }

  #moveInto(zero: ExceptionShard, one: ExceptionShard): void {
    const words = this.#words;
    const shift = 31 - this.depth;
    for (let base = 0; base < words.length; base += BUCKET_WORDS) {
      const count = slotCount(words, base);
      for (let slot = 0; slot < count; slot += 1) {
        const group = this.#groupAt(base, slot);
        const hash = hashOfGroup(group);
        const target = ((hash >>> shift) & 1) === 0 ? zero : one;
        if (target.isFull) target.grow();
        target.#place(hash, group, this.#newAt(base, slot), spanAt(words, base, slot));
      }
    }
  }

  #lookupWide(hash: number, group: number, within: number): number {
    for (let bucket = homeOf(hash, this.#buckets); ; bucket = this.#after(bucket)) {
      const base = bucket * BUCKET_WORDS;
      const count = slotCount(this.#words, base);
      for (let slot = 0; slot < count; slot += 1) {
        if (!this.#isOf(base, slot, group)) continue;
        const found = this.#valueIn(base, slot, within);
        if (found >= 0) return found;
      }
      if (!hasOverflowed(this.#words, base)) return -1;
    }
  }

  #after(bucket: number): number {
    return bucket + 1 === this.#buckets ? 0 : bucket + 1;
  }

  #isOf(base: number, slot: number, group: number): boolean {
    return this.#words[base + slot] === group >>> 0 && this.#groupAt(base, slot) === group;
  }

  #groupAt(base: number, slot: number): number {
    return wordAt(this.#words, base + slot) + WORD_VALUES * this.#highAt(base + slot);
  }

  #newAt(base: number, slot: number): number {
    const index = base + BUCKET_SLOTS + slot;
    return wordAt(this.#words, index) + WORD_VALUES * this.#highAt(index);
  }

  #highAt(index: number): number {
    return this.#highs === null ? 0 : (this.#highs[index] ?? 0);
  }

  #setNew(base: number, slot: number, newChunk: number): void {
    const index = base + BUCKET_SLOTS + slot;
    this.#words[index] = newChunk;
    this.#setHigh(index, newChunk);
  }

  #setHigh(index: number, value: number): void {
    const high = Math.floor(value / WORD_VALUES);
    if (high > 0) this.#highs ??= new Uint16Array(this.#words.length);
    if (this.#highs !== null) this.#highs[index] = high;
  }

  /** The new chunk that a slot of the right group has for `within`, or -1. */
  #valueIn(base: number, slot: number, within: number): number {
    const span = spanAt(this.#words, base, slot);
    if (span === DENSE_SPAN)
      return this.#dense.at(wordAt(this.#words, base + BUCKET_SLOTS + slot), within);
    const offset = within - spanStart(span);
    if (offset < 0 || offset >= spanCount(span)) return -1;
    return this.#newAt(base, slot) + offset;
  }

  /** Whether the chunk comes right before or right behind a run, old and new alike. */
  #continues(base: number, slot: number, within: number, newChunk: number): boolean {
    const span = spanAt(this.#words, base, slot);
    const offset = within - spanStart(span);
    if (offset !== -1 && offset !== spanCount(span)) return false;
    return this.#newAt(base, slot) + offset === newChunk;
  }

  #lengthen(index: number, within: number, newChunk: number): void {
    const base = index - (index % BUCKET_WORDS);
    const slot = index - base;
    const span = spanAt(this.#words, base, slot);
    const isBefore = within < spanStart(span);
    if (isBefore) this.#setNew(base, slot, newChunk);
    const start = isBefore ? within : spanStart(span);
    setSpan(this.#words, base, slot, spanOf(start, spanCount(span) + 1));
  }

  #shorten(base: number, slot: number, within: number): RemoveResult {
    const words = this.#words;
    const span = spanAt(words, base, slot);
    if (span === DENSE_SPAN) {
      const block = wordAt(words, base + BUCKET_SLOTS + slot);
      if (this.#dense.unset(block, within)) {
        this.#dense.free(block);
        this.#dropSlot(base, slot);
      }
      return RemoveResult.Removed;
    }
    const start = spanStart(span);
    const count = spanCount(span);
    if (count === 1) this.#dropSlot(base, slot);
    else if (within === start + count - 1) setSpan(words, base, slot, spanOf(start, count - 1));
    else if (within === start) {
      this.#setNew(base, slot, this.#newAt(base, slot) + 1);
      setSpan(words, base, slot, spanOf(start + 1, count - 1));
    } else return RemoveResult.InsideRun;
    return RemoveResult.Removed;
  }

  /** Adds a slot to the first bucket of its chain with room for it. */
  #place(hash: number, group: number, newChunk: number, span: number): void {
    const words = this.#words;
    let base = homeOf(hash, this.#buckets) * BUCKET_WORDS;
    let slot = slotCount(words, base);
    while (slot === BUCKET_SLOTS) {
      markOverflowed(words, base);
      base += BUCKET_WORDS;
      if (base === words.length) base = 0;
      slot = slotCount(words, base);
    }
    words[base + slot] = group;
    words[base + BUCKET_SLOTS + slot] = newChunk;
    if (this.#highs !== null || group >= WORD_VALUES || newChunk >= WORD_VALUES) {
      this.#setHigh(base + slot, group);
      this.#setHigh(base + BUCKET_SLOTS + slot, newChunk);
    }
    setSpan(words, base, slot, span);
    setSlotCount(words, base, slot + 1);
    this.#slots += 1;
  }

  /** The last slot of the bucket takes the place of the one that goes. */
  #dropSlot(base: number, slot: number): void {
    const last = slotCount(this.#words, base) - 1;
    const group = this.#groupAt(base, last);
    this.#words[base + slot] = group;
    this.#setHigh(base + slot, group);
    this.#setNew(base, slot, this.#newAt(base, last));
    setSpan(this.#words, base, slot, spanAt(this.#words, base, last));
    setSlotCount(this.#words, base, last);
    this.#slots -= 1;
  }

  /** Moves the runs of a group into a dense block. */
  #makeDense(hash: number, group: number): number {
    const block = this.#dense.alloc();
    for (let bucket = homeOf(hash, this.#buckets); ; bucket = this.#after(bucket)) {
      const base = bucket * BUCKET_WORDS;
      for (let slot = slotCount(this.#words, base) - 1; slot >= 0; slot -= 1) {
        const first = this.#newAt(base, slot);
        if (!this.#isOf(base, slot, group) || first > DENSE_LARGEST - GROUP_CHUNKS) continue;
        const span = spanAt(this.#words, base, slot);
        for (let offset = 0; offset < spanCount(span); offset += 1)
          this.#dense.set(block, spanStart(span) + offset, first + offset);
        this.#dropSlot(base, slot);
      }
      if (!hasOverflowed(this.#words, base)) break;
    }
    this.#place(hash, group, block, DENSE_SPAN);
    return block;
  }

  #forEachDenseRun(firstOld: number, block: number, visit: RunVisitor): void {
    let start = 0;
    for (let within = 1; within <= GROUP_CHUNKS; within += 1) {
      const first = this.#dense.at(block, start);
      const next = within < GROUP_CHUNKS ? this.#dense.at(block, within) : -1;
      if (first >= 0 && next === first + within - start) continue;
      if (first >= 0) visit(firstOld + start, first, within - start);
      start = within;
    }
  }
}

function bucketsFor(slots: number): number {
  return Math.max(LEAST_BUCKETS, Math.ceil((slots * GROWTH) / (BUCKET_SLOTS * FULLEST)));
}
