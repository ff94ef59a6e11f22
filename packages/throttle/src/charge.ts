import { type Bio, type Bytes, SECTOR_BYTES } from "@blkstack/bio";

/**
 * What a bio costs: what it moves. A discard and its like move nothing, however much they name: a
 * sector.
 */
export function chargeOf(bio: Bio): Bytes {
  return bio.hasData ? bio.sizeBytes : Math.min(bio.sizeBytes, SECTOR_BYTES);
}
