import type { Bytes } from "@blkstack/bio";

// As measured on 64-bit V8, with the arrays that belong to them. Close is good enough: they are for
// a budget, which must not be thrown out by hundreds of bios in flight.
const BIO_BYTES: Bytes = 240;
const PAD_BYTES: Bytes = 240;
const TABLE_BYTES: Bytes = 96;
const VEC_BYTES: Bytes = 56;

/** What a pooled bio takes, with so many vectors of its own, and with what a driver keeps with it. */
export function bioBytes(inlineVecs: number, hasPad: boolean): Bytes {
  return BIO_BYTES + inlineVecs * VEC_BYTES + (hasPad ? PAD_BYTES : 0);
}

/** What a table of so many vectors takes. */
export function tableBytes(vecs: number): Bytes {
  return TABLE_BYTES + vecs * VEC_BYTES;
}
