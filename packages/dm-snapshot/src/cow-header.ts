import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";

/** `SnAp`, as the first four bytes of a COW device spell it. */
export const COW_MAGIC = 0x7041_6e53;
export const COW_VERSION = 1;
const HEADER_BYTES = 16;

/** The chunk size when neither the table nor the COW device says one: 16 KiB. */
export const DEFAULT_CHUNK_SECTORS = 32;
/** No chunk may have 2^31 bytes. */
export const LARGEST_CHUNK_SECTORS = 4_194_303;

/** The first 16 bytes of a COW device, as they are. */
export interface CowHeader {
  readonly magic: number;
  /** Any number but 0 is a snapshot in use. */
  readonly valid: number;
  readonly version: number;
  readonly chunkSectors: Sectors;
}

export function readHeader(chunk: Uint8Array): CowHeader {
  const view = new DataView(chunk.buffer, chunk.byteOffset, HEADER_BYTES);
  return {
    magic: view.getUint32(0, true),
    valid: view.getUint32(4, true),
    version: view.getUint32(8, true),
    chunkSectors: view.getUint32(12, true),
  };
}

/** Writes the header over the beginning of `chunk`; the rest of the chunk must be zero. */
export function writeHeader(
  chunk: Uint8Array,
  header: { readonly isValid: boolean; readonly chunkSectors: Sectors },
): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, HEADER_BYTES);
  view.setUint32(0, COW_MAGIC, true);
  view.setUint32(4, header.isValid ? 1 : 0, true);
  view.setUint32(8, COW_VERSION, true);
  view.setUint32(12, header.chunkSectors, true);
}

/**
 * What is wrong with a chunk size, in words, or null. `blockBytes`: the logical block sizes of the
 * devices that chunks are read from and written to.
 */
export function chunkSizeProblem(
  chunkSectors: Sectors,
  blockBytes: readonly number[] = [],
): string | null {
  const isPowerOfTwo = chunkSectors > 0 && (chunkSectors & (chunkSectors - 1)) === 0;
  if (!isPowerOfTwo) return "Chunk size is not a power of 2";
  if (chunkSectors > LARGEST_CHUNK_SECTORS) return "Chunk size is too high";
  if (blockBytes.some((bytes) => (chunkSectors * SECTOR_BYTES) % bytes !== 0))
    return "Chunk size is not a multiple of the logical block size";
  return null;
}

/** Why no snapshot can be loaded from a header. */
export interface HeaderProblem {
  readonly kind: "bad-magic" | "bad-version" | "bad-chunk-size";
  readonly errno: "EINVAL" | "ENXIO";
  readonly text: string;
}

/** The first thing wrong with a header, but for the mark that says "invalid"; or null. */
export function headerProblem(
  { magic, version, chunkSectors }: CowHeader,
  blockBytes: readonly number[],
): HeaderProblem | null {
  if (magic !== COW_MAGIC)
    return { kind: "bad-magic", errno: "ENXIO", text: "Invalid or corrupt snapshot" };
  const problem = chunkSizeProblem(chunkSectors, blockBytes);
  if (problem !== null) {
    const text = `invalid on-disk chunk size ${String(chunkSectors)}: ${problem}.`;
    return { kind: "bad-chunk-size", errno: "EINVAL", text };
  }
  if (version === COW_VERSION) return null;
  const text = `unable to handle snapshot disk version ${String(version)}`;
  return { kind: "bad-version", errno: "EINVAL", text };
}

/** Why a persistent store cannot be loaded, in its words. */
export function refusal(errno: "EINVAL" | "EIO" | "ENXIO", text: string): BlockError {
  return new BlockError("BLK_DEVICE", errno, `persistent snapshot: ${text}`);
}
