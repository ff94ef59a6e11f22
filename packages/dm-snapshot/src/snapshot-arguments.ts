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
}

const FEATURES_MAX = 2;

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
): Pick<SnapshotArguments, "discardZeroesCow" | "discardPassdown"> {
  const [countText, ...features] = words;
  const count = countText === undefined ? 0 : Number(countText);
  const isCount = countText === undefined || /^\d+$/.test(countText);
  if (!isCount || count > FEATURES_MAX || count > features.length) {
    throw context.error("Invalid number of feature arguments");
  }
  const named = features.slice(0, count);
  for (const feature of named) {
    if (feature !== "discard_zeroes_cow" && feature !== "discard_passdown_origin") {
      throw context.error("Unrecognised feature requested");
    }
  }
  const discardZeroesCow = named.includes("discard_zeroes_cow");
  const discardPassdown = named.includes("discard_passdown_origin");
  if (discardPassdown && !discardZeroesCow) {
    throw context.error("discard_passdown_origin feature depends on discard_zeroes_cow");
  }
  return { discardZeroesCow, discardPassdown };
}

/** The arguments again, as a table shows them. */
export function argumentsText(
  { isPersistent, isOverflowing, discardZeroesCow, discardPassdown }: SnapshotArguments,
  labels: { readonly origin: string; readonly cow: string; readonly chunkSectors: Sectors },
): string {
  const store = isPersistent ? `P${isOverflowing ? "O" : ""}` : "N";
  const features = [
    ...(discardZeroesCow ? ["discard_zeroes_cow"] : []),
    ...(discardPassdown ? ["discard_passdown_origin"] : []),
  ];
  const tail = features.length === 0 ? [] : [String(features.length), ...features];
  return [labels.origin, labels.cow, store, String(labels.chunkSectors), ...tail].join(" ");
}
