/**
 * The layout of one bucket of the exception table: 64 bytes, the cache line that a lookup costs.
 *
 * Words 0 to 6: the groups of the slots; a group is eight old chunks, `⌊old / 8⌋`. Words 7 to 13:
 * where the slots' runs begin on the COW device. Words 14 and 15: which part of its group each slot
 * covers, six bits a slot; how many slots are used; whether a slot had no room here and went on.
 */
export const BUCKET_WORDS = 16;
export const BUCKET_SLOTS = 7;
/** Old chunks in a group. No run crosses from one group into the next. */
export const GROUP_CHUNKS = 8;

const SPANS = 14;
const TAIL = 15;
const SPANS_PER_WORD = 5;
const SPAN_BITS = 6;
const SPAN_MASK = 63;
const COUNT_SHIFT = 12;
const COUNT_MASK = 7;
const OVERFLOW = 1 << 15;

/** Instead of a span: the slot names a block of `DenseGroups`. No span begins at 7 and is 8 long. */
export const DENSE_SPAN = 63;

/** The span of `count` chunks that begins at chunk `start` of its group. */
export function spanOf(start: number, count: number): number {
  return start | ((count - 1) << 3);
}

export function spanStart(span: number): number {
  return span & 7;
}

export function spanCount(span: number): number {
  return (span >>> 3) + 1;
}

export function wordAt(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

export function slotCount(words: Uint32Array, base: number): number {
  return (wordAt(words, base + TAIL) >>> COUNT_SHIFT) & COUNT_MASK;
}

export function setSlotCount(words: Uint32Array, base: number, count: number): void {
  const rest = wordAt(words, base + TAIL) & ~(COUNT_MASK << COUNT_SHIFT);
  words[base + TAIL] = rest | (count << COUNT_SHIFT);
}

/** Whether a slot whose home is here or before may lie further on. Only growing forgets it. */
export function hasOverflowed(words: Uint32Array, base: number): boolean {
  return (wordAt(words, base + TAIL) & OVERFLOW) !== 0;
}

export function markOverflowed(words: Uint32Array, base: number): void {
  words[base + TAIL] = wordAt(words, base + TAIL) | OVERFLOW;
}

export function spanAt(words: Uint32Array, base: number, slot: number): number {
  const inTail = slot >= SPANS_PER_WORD;
  const shift = (inTail ? slot - SPANS_PER_WORD : slot) * SPAN_BITS;
  return (wordAt(words, base + (inTail ? TAIL : SPANS)) >>> shift) & SPAN_MASK;
}

export function setSpan(words: Uint32Array, base: number, slot: number, span: number): void {
  const inTail = slot >= SPANS_PER_WORD;
  const index = base + (inTail ? TAIL : SPANS);
  const shift = (inTail ? slot - SPANS_PER_WORD : slot) * SPAN_BITS;
  words[index] = (wordAt(words, index) & ~(SPAN_MASK << shift)) | (span << shift);
}
