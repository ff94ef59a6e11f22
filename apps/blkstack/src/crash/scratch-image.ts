import { type FileHandle, open, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { CrashTarget } from "@blkstack/dm-log-writes";
import { isSystemError } from "../user-error.ts";
import { copySparse, readAll, writeAll } from "./sparse-copy.ts";

/** When the scratch file was last written, as long as nobody but us has written it. */
const UNTOUCHED_S = 1;
const PIECE_BYTES = 1 << 20;

interface Stamp {
  readonly inode: number;
  readonly sizeBytes: Bytes;
  readonly writtenMs: number;
}

/**
 * A disk twice: as it is to be, and a file that a check may do with what it likes. A check that has
 * only read costs nothing; after any other, the file is compared, and made what it was.
 */
export class ScratchImage implements CrashTarget {
  readonly path: string;
  readonly sizeSectors: Sectors;
  readonly #clean: FileHandle;
  #scratch: FileHandle;
  #stamp: Stamp | null = null;

  private constructor(path: string, sizeBytes: Bytes, clean: FileHandle, scratch: FileHandle) {
    this.path = path;
    this.sizeSectors = sizeBytes / SECTOR_BYTES;
    this.#clean = clean;
    this.#scratch = scratch;
  }

  /** Makes both in `folder`, of what is in the file `base` and zeroes behind it. */
  static async make(base: string, folder: string, sizeBytes: Bytes): Promise<ScratchImage> {
    const [cleanPath, path] = [join(folder, "clean.img"), join(folder, "disk.img")];
    const file = await open(base, "r");
    try {
      for (const copy of [cleanPath, path]) {
        await copySparse((at, into) => readAll(file, into, at), copy, sizeBytes);
      }
    } finally {
      await file.close();
    }
    return new ScratchImage(path, sizeBytes, await open(cleanPath, "r+"), await open(path, "r+"));
  }

  async read(offsetBytes: Bytes, into: Uint8Array): Promise<boolean> {
    await readAll(this.#clean, into, offsetBytes);
    return true;
  }

  async write(sector: Sectors, bytes: Uint8Array): Promise<boolean> {
    for (const file of [this.#clean, this.#scratch]) {
      await writeAll(file, bytes, sector * SECTOR_BYTES);
    }
    return true;
  }

  discard(sector: Sectors, sectors: Sectors): Promise<boolean> {
    return this.write(sector, new Uint8Array(sectors * SECTOR_BYTES));
  }

  /** Before a check: whatever is written from now on is seen afterwards, however soon it comes. */
  async lend(): Promise<void> {
    await utimes(this.path, UNTOUCHED_S, UNTOUCHED_S);
    this.#stamp = await stampOf(this.path);
  }

  /** After a check: makes the file what it was before. */
  async takeBack(): Promise<void> {
    const before = this.#stamp;
    const now = await stampOf(this.path);
    const isSame = now !== null && before !== null && now.inode === before.inode;
    if (isSame && now.sizeBytes === before.sizeBytes && now.writtenMs === before.writtenMs) return;
    if (!isSame) {
      await this.#scratch.close();
      await rm(this.path, { recursive: true, force: true });
      this.#scratch = await open(this.path, "w+");
    }
    await this.#scratch.truncate(this.sizeSectors * SECTOR_BYTES);
    await this.#repair();
  }

  /** Copies the disk as it is to be. */
  async copyTo(path: string): Promise<void> {
    const sizeBytes = this.sizeSectors * SECTOR_BYTES;
    await copySparse((at, into) => readAll(this.#clean, into, at), path, sizeBytes);
  }

  async close(): Promise<void> {
    await this.#clean.close();
    await this.#scratch.close();
  }

  async #repair(): Promise<void> {
    const sizeBytes = this.sizeSectors * SECTOR_BYTES;
    const [right, found] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, sizeBytes - at);
      const [wanted, there] = [right.subarray(0, length), found.subarray(0, length)];
      await readAll(this.#clean, wanted, at);
      await readAll(this.#scratch, there, at);
      if (!wanted.equals(there)) await writeAll(this.#scratch, wanted, at);
    }
  }
}

/** Null: there is no such file any more. */
async function stampOf(path: string): Promise<Stamp | null> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return { inode: ino, sizeBytes: size, writtenMs: mtimeMs };
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return null;
    throw error;
  }
}
