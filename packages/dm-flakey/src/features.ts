/** One byte of a bio, and what it becomes. */
export interface ByteCorruption {
  /** Counted from 1. */
  readonly byteNumber: number;
  readonly ofWrites: boolean;
  readonly value: number;
  /** Only bios that have all of these bits set, among their flags and operation, are changed. */
  readonly flagMask: number;
}

/** What goes wrong while the device is down. With nothing named, all that is sent there fails. */
export interface Features {
  dropWrites: boolean;
  errorWrites: boolean;
  errorReads: boolean;
  corruption: ByteCorruption | null;
  /** In how many of `CHANCES` bios one byte becomes another; null: not named. */
  randomReads: number | null;
  randomWrites: number | null;
}

export const CHANCES = 1_000_000_000;

export function noFeatures(): Features {
  return {
    dropWrites: false,
    errorWrites: false,
    errorReads: false,
    corruption: null,
    randomReads: null,
    randomWrites: null,
  };
}

/** The words that make these features again. */
export function wordsOf(features: Features): string[] {
  const words: string[] = [];
  if (features.dropWrites) words.push("drop_writes");
  if (features.errorWrites) words.push("error_writes");
  if (features.errorReads) words.push("error_reads");
  const { corruption, randomReads, randomWrites } = features;
  if (corruption !== null) {
    const { byteNumber, ofWrites, value, flagMask } = corruption;
    const direction = ofWrites ? "w" : "r";
    words.push("corrupt_bio_byte", String(byteNumber), direction, String(value), String(flagMask));
  }
  if (randomReads !== null) words.push("random_read_corrupt", String(randomReads));
  if (randomWrites !== null) words.push("random_write_corrupt", String(randomWrites));
  return words;
}
