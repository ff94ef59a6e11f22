import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";

/** Bytes of one entry of an area: the old chunk, then the new one, 64 bits each. */
export const ENTRY_BYTES = 16;

/** How full a store is, in sectors: what its status line is made of. */
export interface StoreUsage {
  /** Everything up to the next chunk to be handed out, metadata too. */
  readonly allocatedSectors: Sectors;
  /** The COW device as large as it is now. */
  readonly totalSectors: Sectors;
  /** The header and the areas begun. With `allocatedSectors` equal to it, the store is empty. */
  readonly metadataSectors: Sectors;
}

/**
 * Where things lie on a COW device of a chunk size: the header in chunk 0, then again and again one
 * chunk of entries (an area) and the data chunks that they can name.
 */
export class CowLayout {
  readonly chunkSectors: Sectors;
  readonly chunkBytes: number;
  readonly entriesPerArea: number;

  constructor(chunkSectors: Sectors) {
    this.chunkSectors = chunkSectors;
    this.chunkBytes = chunkSectors * SECTOR_BYTES;
    this.entriesPerArea = this.chunkBytes / ENTRY_BYTES;
  }

  /** The chunk with the entries of area `area`, counted from 0. */
  areaChunk(area: number): number {
    return 1 + area * (this.entriesPerArea + 1);
  }

  /** Whether a chunk is the header or an area, so that no data may lie there. */
  isMetadataChunk(chunk: number): boolean {
    return chunk === 0 || chunk % (this.entriesPerArea + 1) === 1;
  }

  /** The first chunk from `chunk` on that data may lie in. */
  dataChunkFrom(chunk: number): number {
    const candidate = Math.max(chunk, 2);
    return this.isMetadataChunk(candidate) ? candidate + 1 : candidate;
  }

  /** How many data chunks there are before a chunk: the exceptions that were handed out. */
  dataChunksBefore(chunk: number): number {
    const behindFirstArea = chunk - 2;
    return behindFirstArea - Math.floor(behindFirstArea / (this.entriesPerArea + 1));
  }

  sectorOf(chunk: number): Sectors {
    return chunk * this.chunkSectors;
  }

  /** How many whole chunks a device has. */
  chunksIn(totalSectors: Sectors): number {
    return Math.floor(totalSectors / this.chunkSectors);
  }

  /** Whether all of a chunk is within a device. */
  isWithin(chunk: number, totalSectors: Sectors): boolean {
    return (chunk + 1) * this.chunkSectors <= totalSectors;
  }

  /**
   * How many exceptions a device can take. The last one of an area counts only where the next area
   * fits too, for that is cleared before the full one is written.
   */
  capacity(totalSectors: Sectors): number {
    const chunks = this.chunksIn(totalSectors);
    if (chunks < 2) return 0;
    const stride = this.entriesPerArea + 1;
    const fullAreas = Math.floor((chunks - 2) / stride);
    const inLastArea = (chunks - 2) % stride;
    return fullAreas * this.entriesPerArea + Math.min(inLastArea, this.entriesPerArea - 1);
  }

  /** `currentArea` is the one that the next entry goes into: it counts once the last one is full. */
  usage(nextFree: number, currentArea: number, totalSectors: Sectors): StoreUsage {
    return {
      allocatedSectors: this.sectorOf(nextFree),
      totalSectors,
      metadataSectors: this.sectorOf(currentArea + 2),
    };
  }
}

/** `USED/TOTAL METADATA`, as a status line has it. */
export function usageText(usage: StoreUsage): string {
  const { allocatedSectors, totalSectors, metadataSectors } = usage;
  return `${String(allocatedSectors)}/${String(totalSectors)} ${String(metadataSectors)}`;
}
