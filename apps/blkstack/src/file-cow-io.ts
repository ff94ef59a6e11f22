import { open, type FileHandle, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { CowIo } from "@blkstack/dm-snapshot";
import { isSystemError, UserError } from "./user-error.ts";

/** A COW file, to be looked at only: whoever serves it may go on doing so. */
export class FileCowIo implements CowIo {
  /** Of a cut-off file as many as are whole. */
  readonly sizeSectors: Sectors;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, sizeSectors: Sectors) {
    this.#file = file;
    this.sizeSectors = sizeSectors;
  }

  /** Throws a UserError for what is not there, or is no file. */
  static async open(fileName: string, cwd: string): Promise<FileCowIo> {
    const path = resolve(cwd, fileName);
    try {
      // Asked before it is opened, for to open a pipe would wait for its other end.
      const stats = await stat(path);
      if (!stats.isFile()) throw new UserError(`${fileName} is no file; give a COW image`);
      return new FileCowIo(await open(path, "r"), Math.floor(stats.size / SECTOR_BYTES));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new UserError(`cannot read the COW image ${fileName}: ${error.code ?? error.message}`);
    }
  }

  async read(sector: Sectors, into: Uint8Array): Promise<BioStatus> {
    let done = 0;
    try {
      while (done < into.length) {
        const position = sector * SECTOR_BYTES + done;
        const { bytesRead } = await this.#file.read(into, done, into.length - done, position);
        if (bytesRead === 0) return BioStatus.IoError;
        done += bytesRead;
      }
      return BioStatus.Ok;
    } catch (error) {
      if (isSystemError(error)) return BioStatus.IoError;
      throw error;
    }
  }

  /** It is not for writing. */
  write(): BioStatus {
    return BioStatus.ReadOnly;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
