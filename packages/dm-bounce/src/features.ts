import { type Bytes, PAGE_BYTES } from "@blkstack/bio";
import { BOUNCE_PAGES } from "@blkstack/bounce";
import type { TargetContext } from "@blkstack/block";

/** A stand-in has a vector for each page, and no more than this. */
const PAGES_MAX = 256;
/** Where the optional words of a line begin. */
const FROM = 2;

export interface Features {
  /** What the table says; null: what the lower device asks for. */
  readonly alignBytes: Bytes | null;
  /** Pages to bounce with. */
  readonly pages: number;
  /** The words as they stood in the table, with their number in front. */
  readonly words: readonly string[];
}

/** Parses `COUNT [align BYTES] [pool PAGES]`; may be missing. Throws what `context.error` makes. */
export function parseFeatures(context: TargetContext): Features {
  const words = context.args.slice(FROM);
  const [count, ...rest] = words;
  if (count !== undefined && !(/^\d+$/.test(count) && Number(count) === rest.length)) {
    const detail = `${String(rest.length)} words follow "${count}"`;
    throw context.error("Invalid number of feature args", "EINVAL", detail);
  }
  const named = new Map<string, string>();
  for (let index = 0; index < rest.length; index += 2) {
    const [name = "", value = ""] = rest.slice(index);
    if (name !== "align" && name !== "pool") throw context.error(`Unrecognised feature "${name}"`);
    if (named.has(name)) throw context.error(`Feature ${name} duplicated`);
    named.set(name, value);
  }
  return {
    alignBytes: parseAlign(named.get("align"), context),
    pages: parsePool(named.get("pool"), context),
    words,
  };
}

function parseAlign(text: string | undefined, context: TargetContext): Bytes | null {
  if (text === undefined) return null;
  const bytes = /^\d+$/.test(text) ? Number(text) : NaN;
  if (bytes >= 1 && bytes <= PAGE_BYTES && Number.isInteger(Math.log2(bytes))) return bytes;
  const detail = `"${text}" is no power of two of 1..${String(PAGE_BYTES)}`;
  throw context.error("Invalid alignment", "EINVAL", detail);
}

function parsePool(text: string | undefined, context: TargetContext): number {
  if (text === undefined) return BOUNCE_PAGES;
  const pages = /^\d+$/.test(text) ? Number(text) : NaN;
  if (pages >= 1 && pages <= PAGES_MAX) return pages;
  throw context.error(
    "Invalid pool size",
    "EINVAL",
    `"${text}" is not 1..${String(PAGES_MAX)} pages`,
  );
}
