import { type FileHandle, open } from "node:fs/promises";
import type { Bytes } from "@blkstack/bio";

/** Fills `into` from `offsetBytes` on; throws when it cannot. */
export type ReadAt = (offsetBytes: Bytes, into: Uint8Array) => Promise<void>;

const PIECE_BYTES = 1 << 20;
/** What is zero in blocks of so many bytes takes no room. */
const BLOCK_BYTES = 4096;
const ZEROES = Buffer.alloc(BLOCK_BYTES);

/** Makes a file of what `read` gives, with holes for zeroes. */
export async function copySparse(read: ReadAt, path: string, sizeBytes: Bytes): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(sizeBytes);
    const piece = Buffer.alloc(PIECE_BYTES);
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      const bytes = piece.subarray(0, Math.min(PIECE_BYTES, sizeBytes - at));
      await read(at, bytes);
      await writeData(file, at, bytes);
    }
  } finally {
    await file.close();
  }
}

/** Writes what is not zero, in runs as long as possible. */
async function writeData(file: FileHandle, at: Bytes, bytes: Buffer): Promise<void> {
  let begin: number | null = null;
  for (let block = 0; block <= bytes.length; block += BLOCK_BYTES) {
    const isData = block < bytes.length && !isZero(bytes.subarray(block, block + BLOCK_BYTES));
    if (isData) {
      begin ??= block;
    } else if (begin !== null) {
      await writeAll(file, bytes.subarray(begin, block), at + begin);
      begin = null;
    }
  }
}

function isZero(block: Buffer): boolean {
  return block.equals(ZEROES.subarray(0, block.length));
}

/** Writes all of `bytes`, however many calls that takes. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: Bytes): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** Fills `into` from a file; what is behind its end is zero. */
export async function readAll(file: FileHandle, into: Uint8Array, at: Bytes): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) {
      into.fill(0, done);
      return;
    }
    done += bytesRead;
  }
}
