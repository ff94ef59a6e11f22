import { type Bio, BioOp } from "@blkstack/bio";

/** What is counted; each is a family of five words, one for each `StatKind`. */
export const StatFamily = {
  Bytes: 0,
  Ios: 5,
  Merged: 10,
  /** Milliseconds that bios were held back. */
  HeldMs: 15,
} as const;
export type StatFamily = (typeof StatFamily)[keyof typeof StatFamily];

/** Of which bios: one of the first three, and one of Sync and Async, holds for each. */
export const StatKind = { Read: 0, Write: 1, Discard: 2, Sync: 3, Async: 4 } as const;
export type StatKind = (typeof StatKind)[keyof typeof StatKind];

/** Where the histogram begins. */
export const HISTOGRAM_WORD = 20;

/** Bucket 0: not at all; bucket n: less than 2^n units and not less than 2^(n-1). */
export const HISTOGRAM_BUCKETS = 24;

/** What a group counts on each cpu. */
export const GROUP_STAT_WORDS = 44;

/** Whether a bio counts as read, written or discarded. A flush is a write of nothing. */
export function statKindOf(bio: Bio): StatKind {
  if (bio.op === BioOp.Read) return StatKind.Read;
  if (bio.op === BioOp.Discard || bio.op === BioOp.SecureErase) return StatKind.Discard;
  return StatKind.Write;
}

/** The bucket that a whole number of units belongs to. */
export function bucketOf(units: number): number {
  if (units < 1) return 0;
  return Math.min(HISTOGRAM_BUCKETS - 1, Math.floor(Math.log2(units)) + 1);
}
