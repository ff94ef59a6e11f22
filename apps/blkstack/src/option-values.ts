import { type Bytes, PAGE_BYTES } from "@blkstack/bio";
import { NBD_FEATURES, type NbdFeature } from "@blkstack/nbd";
import { parseSize } from "@blkstack/stack";
import { UserError } from "./user-error.ts";

/** Collects an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Collects `--disable`, which may be given more than once. */
export function collectFeature(
  text: string,
  before: readonly NbdFeature[] = [],
): readonly NbdFeature[] {
  const feature = NBD_FEATURES.find((name) => name === text);
  if (feature !== undefined) return [...before, feature];
  const names = NBD_FEATURES.join(", ");
  throw new UserError(`--disable ${text} is unknown; it should be one of ${names}`);
}

/** The value of `--memory`: at least a megabyte, in whole pages. */
export function parseMemory(text: string): Bytes {
  const bytes = parseSize(text);
  if (bytes === undefined) {
    throw new UserError(`--memory ${text}: not a size; it should be like 64MiB or 1GiB`);
  }
  if (bytes < MEMORY_MIN_BYTES) {
    throw new UserError(`--memory ${text}: too little to serve; it should be at least 2MiB`);
  }
  return bytes - (bytes % PAGE_BYTES);
}

const MEMORY_MIN_BYTES = 2 * 2 ** 20;

/** A parser for the whole number of an option. */
export function wholeNumber(option: string, min: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(number) && number >= min) return number;
    throw new UserError(`${option} ${text}: it should be a whole number from ${String(min)} on`);
  };
}
