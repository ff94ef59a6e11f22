import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type Extent, ExtentFlag } from "@blkstack/block";
import type { FileCalls } from "@blkstack/file-calls";
import type { BlankFile } from "./blank-file.ts";

const ENXIO = -6;

/**
 * Where a file has holes. Data is kept in mind: that there is some stays true enough until a hole is
 * made. Holes are asked for each time, so that no write, by whomever, makes the answer wrong.
 */
export class FileExtents {
  readonly #fd: number;
  readonly #calls: FileCalls | null;
  /** All there is to go by without calls. */
  readonly #blank: BlankFile;
  #dataBegin: Bytes = 0;
  #dataEnd: Bytes = 0;

  constructor(fd: number, calls: FileCalls | null, blank: BlankFile) {
    this.#fd = fd;
    this.#calls = calls;
    this.#blank = blank;
  }

  /** Changes an extent of data to what is known of the sectors from `sector` on. Waits: never. */
  find(sector: Sectors, extent: Extent): void {
    const calls = this.#calls;
    if (calls === null) {
      if (this.#blank.isBlank()) setHole(extent);
      return;
    }
    const at = sector * SECTOR_BYTES;
    if (at < this.#dataBegin || at >= this.#dataEnd) this.#dataEnd = this.#askForHole(calls, at);
    if (this.#dataEnd > at) cut(extent, Math.ceil((this.#dataEnd - at) / SECTOR_BYTES));
    else this.#measureHole(calls, at, extent);
  }

  /** A hole may have been made. */
  forget(): void {
    this.#dataEnd = 0;
  }

  /** Where the data ends in which `at` lies; `at` itself: there is a hole. */
  #askForHole(calls: FileCalls, at: Bytes): Bytes {
    this.#dataBegin = at;
    const found = calls.findHole(this.#fd, at);
    // Who cannot tell has data.
    return found < 0 ? Infinity : found;
  }

  #measureHole(calls: FileCalls, at: Bytes, extent: Extent): void {
    const found = calls.findData(this.#fd, at);
    if (found < 0 && found !== ENXIO) return;
    const sectors = found < 0 ? extent.sectors : Math.floor((found - at) / SECTOR_BYTES);
    if (sectors > 0) setHole(extent);
    cut(extent, Math.max(1, sectors));
  }
}

function setHole(extent: Extent): void {
  extent.flags = ExtentFlag.Hole | ExtentFlag.Zero;
}

function cut(extent: Extent, sectors: Sectors): void {
  extent.sectors = Math.min(extent.sectors, sectors);
}
