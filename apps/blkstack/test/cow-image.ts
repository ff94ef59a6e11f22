import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export const CHUNK_BYTES = 4096;
/** Old chunk and new chunk. */
type Entry = readonly [number, number];

export interface CowImage {
  readonly chunks?: number;
  readonly magic?: number;
  readonly valid?: number;
  readonly version?: number;
  readonly chunkSectors?: number;
  readonly entries?: readonly Entry[];
}

/** Writes a COW image by the letter of the format: a header, one area, room. */
export async function writeCow(folder: string, image: CowImage): Promise<void> {
  const { chunks = 16, magic = 0x7041_6e53, valid = 1, version = 1, chunkSectors = 8 } = image;
  const bytes = Buffer.alloc(chunks * CHUNK_BYTES);
  for (const [index, word] of [magic, valid, version, chunkSectors].entries()) {
    bytes.writeUInt32LE(word, index * 4);
  }
  for (const [index, [oldChunk, newChunk]] of (image.entries ?? []).entries()) {
    bytes.writeBigUInt64LE(BigInt(oldChunk), CHUNK_BYTES + index * 16);
    bytes.writeBigUInt64LE(BigInt(newChunk), CHUNK_BYTES + index * 16 + 8);
  }
  await writeFile(join(folder, "s.cow"), bytes);
}
