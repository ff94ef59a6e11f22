import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { contentKey, type SectorSource } from "@blkstack/explorer";

/** A sector that is full of one number, from 0 to 65 535. */
export function sectorFullOf(tag: number): Uint8Array {
  return new Uint8Array(new Uint16Array(SECTOR_BYTES / 2).fill(tag).buffer);
}

const KEYS = new Map<number, number>();

/** The `contentKey` of such a sector. */
export function keyOf(tag: number): number {
  const known = KEYS.get(tag) ?? contentKey(sectorFullOf(tag));
  KEYS.set(tag, known);
  return known;
}

/** A device whose sectors are full of what `tagOf` says. */
export function sourceOf(tagOf: (sector: Sectors) => number): SectorSource {
  return {
    read(offset, into, intoOffset, length) {
      for (let done = 0; done < length; done += SECTOR_BYTES) {
        into.set(sectorFullOf(tagOf((offset + done) / SECTOR_BYTES)), intoOffset + done);
      }
    },
  };
}

/** What the origin has at first. */
export const originTag = (sector: Sectors): number => 1000 + sector;
/** What a snapshot has of its own at first, where it has. */
export const ownTag = (sector: Sectors): number => 2000 + sector;
