import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { LogSource, ReplayTarget } from "@blkstack/dm-log-writes";
import { isSystemError, UserError } from "./user-error.ts";

/** Zeroes are written in pieces of so many bytes. */
const ZEROES = new Uint8Array(1 << 20);

/** An image that the user named, to be read. */
export class ImageFile implements LogSource {
  readonly sizeBytes: number;
  protected readonly file: FileHandle;

  protected constructor(file: FileHandle, sizeBytes: number) {
    this.file = file;
    this.sizeBytes = sizeBytes;
  }

  /** Throws a UserError for what is not there, or is no file; `what` it is to be is for that. */
  static async open(what: string, fileName: string, cwd: string): Promise<ImageFile> {
    return new ImageFile(...(await openImage(what, fileName, cwd, "r")));
  }

  async read(offsetBytes: number, into: Uint8Array): Promise<boolean> {
    let done = 0;
    try {
      while (done < into.length) {
        const at = offsetBytes + done;
        const { bytesRead } = await this.file.read(into, done, into.length - done, at);
        if (bytesRead === 0) return false;
        done += bytesRead;
      }
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** An image that the user named, to be written. */
export class DiskImage extends ImageFile implements ReplayTarget {
  get sizeSectors(): Sectors {
    return Math.floor(this.sizeBytes / SECTOR_BYTES);
  }

  static override async open(what: string, fileName: string, cwd: string): Promise<DiskImage> {
    return new DiskImage(...(await openImage(what, fileName, cwd, "r+")));
  }

  async write(sector: Sectors, bytes: Uint8Array): Promise<boolean> {
    let done = 0;
    try {
      while (done < bytes.length) {
        const at = sector * SECTOR_BYTES + done;
        done += (await this.file.write(bytes, done, bytes.length - done, at)).bytesWritten;
      }
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  async discard(sector: Sectors, sectors: Sectors): Promise<boolean> {
    const pieceSectors = ZEROES.length / SECTOR_BYTES;
    for (let done = 0; done < sectors; done += pieceSectors) {
      const bytes = ZEROES.subarray(0, (sectors - done) * SECTOR_BYTES);
      if (!(await this.write(sector + done, bytes))) return false;
    }
    return true;
  }

  sync(): Promise<void> {
    return this.file.sync();
  }
}

async function openImage(
  what: string,
  fileName: string,
  cwd: string,
  mode: "r" | "r+",
): Promise<[file: FileHandle, sizeBytes: number]> {
  const path = resolve(cwd, fileName);
  try {
    // Asked before it is opened, for to open a pipe would wait for its other end.
    const stats = await stat(path);
    if (!stats.isFile()) throw new UserError(`${fileName} is no file; give the image of a ${what}`);
    return [await open(path, mode), stats.size];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot open the ${what} ${fileName}: ${error.code ?? error.message}`);
  }
}
