import { type BioFlags, BioStatus, type Sectors } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";
import type { AreaEntries } from "./area-entries.ts";
import type { CowLayout } from "./cow-layout.ts";

/** A piece of a COW device to be read. */
export interface CowRead {
  readonly sector: Sectors;
  readonly into: Uint8Array;
}

/**
 * How a store reaches its COW device. Process context: a store calls it from its own steps, never
 * from a target's `map`. What reaches behind the end of the device ends with an I/O error.
 */
export interface CowIo {
  /** As large as the device is at the moment: a store grows with it. */
  readonly sizeSectors: Sectors;
  /** Of all that chunks must be a multiple of; none unless told. */
  readonly logicalBlockBytes?: readonly number[];
  /** Waits: until the bytes are there. */
  read(sector: Sectors, into: Uint8Array, task: Task): Awaitable<BioStatus>;
  /**
   * Reads several pieces, all of them under way at once: Ok only when each of them is. A device
   * without it is read one by one. Waits: until all ended.
   */
  readAll?(pieces: readonly CowRead[], task: Task): Awaitable<BioStatus>;
  /** `flags`: of `BioFlag`, `Preflush` and `Fua`. `from` is not changed meanwhile. Waits: until done. */
  write(sector: Sectors, from: Uint8Array, flags: BioFlags, task: Task): Awaitable<BioStatus>;
}

/** So much is read ahead at the most, in so many areas. */
const AHEAD_BYTES = 1 << 20;
const AHEAD_AREAS = 32;

/** Reads the areas of a COW device in their order, some ahead. */
export class AreaReader {
  readonly #io: CowIo;
  readonly #layout: CowLayout;
  readonly #ahead: Uint8Array[];
  /** The area of the first of `#ahead`, and how many of them hold something. */
  #first = 0;
  #filled = 0;

  constructor(io: CowIo, layout: CowLayout) {
    this.#io = io;
    this.#layout = layout;
    const most = Math.floor(AHEAD_BYTES / layout.chunkBytes);
    const count = io.readAll === undefined ? 0 : Math.min(AHEAD_AREAS, most);
    this.#ahead = Array.from({ length: count }, () => new Uint8Array(layout.chunkBytes));
  }

  /** Waits: for the device. */
  read(area: number, into: AreaEntries, task: Task): Awaitable<BioStatus> {
    if (this.#take(area, into)) return BioStatus.Ok;
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(area));
    // Most snapshots have one area, so only whoever asks for a second one gets more than asked for.
    if (area === 0 || this.#ahead.length < 2) return this.#io.read(sector, into.bytes, task);
    return this.#readAhead(area, into, task);
  }

  async #readAhead(area: number, into: AreaEntries, task: Task): Promise<BioStatus> {
    const pieces: CowRead[] = [];
    for (const [index, bytes] of this.#ahead.entries()) {
      const chunk = this.#layout.areaChunk(area + index);
      if (!this.#layout.isWithin(chunk, this.#io.sizeSectors)) break;
      pieces.push({ sector: this.#layout.sectorOf(chunk), into: bytes });
    }
    this.#filled = 0;
    const status = await this.#io.readAll?.(pieces, task);
    if (status === BioStatus.Ok) {
      this.#first = area;
      this.#filled = pieces.length;
    }
    if (this.#take(area, into)) return BioStatus.Ok;
    // Something ahead failed, which nobody may ever need.
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(area));
    return this.#io.read(sector, into.bytes, task);
  }

  #take(area: number, into: AreaEntries): boolean {
    const index = area - this.#first;
    const bytes = index >= 0 && index < this.#filled ? this.#ahead[index] : undefined;
    if (bytes === undefined) return false;
    into.bytes.set(bytes);
    return true;
  }
}
