import type { Sectors } from "@blkstack/bio";
import type { TargetContext } from "@blkstack/block";

/** What stands in a table for one snapshot: `<origin> <cow> <P|PO|N> <chunk> [<#> <feature>…]`. */
export interface SnapshotArguments {
  readonly origin: string;
  readonly cow: string;
  readonly isPersistent: boolean;
  /** Reads go on when the store is full, as far as the snapshot's own writes fill it. */
  readonly isOverflowing: boolean;
  /** As text: what it may be depends on the devices and on what is stored. */
  readonly chunkText: string;
  readonly discardZeroesCow: boolean;
  readonly discardPassdown: boolean;
  /** The snapshot's own writes end before they are committed, and flushes wait. */
  readonly writeBehind: boolean;
}

/** What a feature is called in a table, in the order in which a table shows them. */
const FEATURES = {
  discardZeroesCow: "discard_zeroes_cow",
  discardPassdown: "discard_passdown_origin",
  writeBehind: "write_behind",
} as const;
type Feature = keyof typeof FEATURES;
const FEATURE_NAMES: readonly string[] = Object.values(FEATURES);

/** Throws what `context.error` makes. */
export function parseArguments(context: TargetContext): SnapshotArguments {
  const { args } = context;
  const [origin, cow, store, chunkText, ...features] = args;
  if (origin === undefined || cow === undefined || store === undefined || chunkText === undefined) {
    throw context.error("requires 4 or more arguments");
  }
  return {
    origin,
    cow,
    chunkText,
    ...parseStore(store, context),
    ...parseFeatures(features, context),
  };
}

function parseStore(
  text: string,
  context: TargetContext,
): Pick<SnapshotArguments, "isPersistent" | "isOverflowing"> {
  const letter = text.charAt(0).toUpperCase();
  const option = text.slice(1);
  if (letter !== "P" && letter !== "N") {
    throw context.error("Couldn't create exception store");
  }
  const isPersistent = letter === "P";
  if (isPersistent && option !== "" && option.toUpperCase() !== "O") {
    const detail = `persistent snapshot: Unsupported persistent store option: ${option}`;
    throw context.error("Couldn't create exception store", "EINVAL", detail);
  }
  return { isPersistent, isOverflowing: isPersistent && option !== "" };
}

function parseFeatures(
  words: readonly string[],
  context: TargetContext,
): Pick<SnapshotArguments, Feature> {
  const [countText, ...features] = words;
  const count = countText === undefined ? 0 : Number(countText);
  const isCount = countText === undefined || /^\d+$/.test(countText);
  if (!isCount || count > FEATURE_NAMES.length || count > features.length) {
    throw context.error("Invalid number of feature arguments");
  }
  const named = features.slice(0, count);
  for (const feature of named) {
    if (!FEATURE_NAMES.includes(feature)) throw context.error("Unrecognised feature requested");
  }
  const discardZeroesCow = named.includes(FEATURES.discardZeroesCow);
  const discardPassdown = named.includes(FEATURES.discardPassdown);
  if (discardPassdown && !discardZeroesCow) {
    throw context.error("discard_passdown_origin feature depends on discard_zeroes_cow");
  }
  return { discardZeroesCow, discardPassdown, writeBehind: named.includes(FEATURES.writeBehind) };
}

/** The arguments again, as a table shows them. */
export function argumentsText(
  given: SnapshotArguments,
  labels: { readonly origin: string; readonly cow: string; readonly chunkSectors: Sectors },
): string {
  const store = given.isPersistent ? `P${given.isOverflowing ? "O" : ""}` : "N";
  const features = (Object.keys(FEATURES) as Feature[])
    .filter((feature) => given[feature])
    .map((feature) => FEATURES[feature]);
  const tail = features.length === 0 ? [] : [String(features.length), ...features];
  return [labels.origin, labels.cow, store, String(labels.chunkSectors), ...tail].join(" ");
}
