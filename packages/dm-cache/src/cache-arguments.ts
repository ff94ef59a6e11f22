import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { TargetContext } from "@blkstack/block";

/** When a write has arrived: in the cache, or on the device below. */
export type CacheMode = "writeback" | "writethrough";

export interface CacheArguments {
  readonly device: string;
  readonly blockBytes: Bytes;
  readonly cacheBlocks: number;
  readonly mode: CacheMode;
  /** Bios of at least so many sectors go past the cache. */
  readonly bypassSectors: Sectors;
}

/** 256 KiB: what is larger than that is read or written once, more often than not. */
const BYPASS_SECTORS: Sectors = 512;
const CACHE_BLOCKS_MIN = 16;

/** `DEVICE BLOCK_BYTES CACHE_BLOCKS [COUNT FEATURE…]`. Throws what `context.error` makes. */
export function parseArguments(context: TargetContext): CacheArguments {
  const [device, blockBytes, cacheBlocks, count = "0", ...features] = context.args;
  if (device === undefined || blockBytes === undefined || cacheBlocks === undefined) {
    throw context.error("Invalid argument count", "EINVAL", "takes a device and two sizes");
  }
  if (!/^\d+$/.test(count) || Number(count) !== features.length) {
    const given = `"${count}" for ${String(features.length)} words`;
    throw context.error("Invalid number of feature arguments", "EINVAL", given);
  }
  return {
    device,
    blockBytes: parseBlockBytes(blockBytes, context),
    cacheBlocks: parseCacheBlocks(cacheBlocks, context),
    ...parseFeatures(features, context),
  };
}

/** The arguments that make the same target again. */
export function argumentsText(given: CacheArguments, deviceLabel: string): string {
  const { blockBytes, cacheBlocks, mode, bypassSectors } = given;
  const features: string[] = [mode];
  if (bypassSectors !== BYPASS_SECTORS) features.push("bypass_sectors", String(bypassSectors));
  const sizes = `${String(blockBytes)} ${String(cacheBlocks)}`;
  return `${deviceLabel} ${sizes} ${String(features.length)} ${features.join(" ")}`;
}

function parseBlockBytes(text: string, context: TargetContext): Bytes {
  const bytes = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(bytes) && bytes >= SECTOR_BYTES && bytes % SECTOR_BYTES === 0) {
    return bytes;
  }
  throw context.error("Invalid block size", "EINVAL", `"${text}": give a multiple of 512`);
}

function parseCacheBlocks(text: string, context: TargetContext): number {
  const blocks = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(blocks) && blocks >= CACHE_BLOCKS_MIN) return blocks;
  const wanted = `give ${String(CACHE_BLOCKS_MIN)} blocks or more`;
  throw context.error("Invalid cache size", "EINVAL", `"${text}": ${wanted}`);
}

function parseFeatures(
  words: readonly string[],
  context: TargetContext,
): Pick<CacheArguments, "mode" | "bypassSectors"> {
  let mode: CacheMode = "writeback";
  let bypassSectors = BYPASS_SECTORS;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "writeback" || word === "writethrough") {
      mode = word;
    } else if (word === "bypass_sectors") {
      index += 1;
      bypassSectors = context.sector(words[index] ?? "");
    } else {
      throw context.error("Unrecognised cache feature requested", "EINVAL", `"${word}"`);
    }
  }
  return { mode, bypassSectors };
}
