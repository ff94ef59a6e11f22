import type { CowLayout } from "@blkstack/dm-snapshot";
import type { SlowCow } from "./slow-cow.ts";

/** An exception as the store was given it. */
export interface Entry {
  readonly oldChunk: number;
  readonly newChunk: number;
}

const ENTRY_WORDS = 2;
/** The first eight bytes of a header that is marked as invalid. */
const INVALID_HEADER = 0x7041_6e53n;

/** What lies in the header and in the areas that does not belong there. */
export function strangersIn(cow: SlowCow, layout: CowLayout, entries: readonly Entry[]): string[] {
  const strangers: string[] = [];
  const [header] = wordsOf(cow, layout, 0);
  if (header !== INVALID_HEADER) strangers.push("the header is not that of an invalid snapshot");
  for (const area of [0, 1]) {
    const words = wordsOf(cow, layout, layout.areaChunk(area));
    const expected = entries
      .slice(area * layout.entriesPerArea)
      .flatMap(({ oldChunk, newChunk }) => [BigInt(oldChunk), BigInt(newChunk)]);
    // Once the snapshot is invalid nobody needs the last entries any more.
    const end = words.findIndex((word, index) => index % ENTRY_WORDS === 1 && word === 0n);
    const written = end < 0 ? words : words.slice(0, end - 1);
    const rest = words.slice(written.length);
    if (written.some((word, index) => word !== expected[index]) || rest.some((word) => word > 0n)) {
      strangers.push(`area ${String(area)} has what is no entry of it`);
    }
  }
  return strangers;
}

function wordsOf(cow: SlowCow, layout: CowLayout, chunk: number): bigint[] {
  const { buffer, byteOffset, length } = cow.bytes(layout.sectorOf(chunk), layout.chunkBytes);
  const view = new DataView(buffer, byteOffset, length);
  return Array.from({ length: length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}
