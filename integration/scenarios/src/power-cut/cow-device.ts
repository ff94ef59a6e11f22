import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { RamDisk } from "@blkstack/disk-ram";
import { COW_MAGIC, COW_VERSION } from "@blkstack/dm-snapshot";
import { ownTag, sectorFullOf } from "./contents.ts";

const ENTRY_BYTES = 16;

export interface Exception {
  readonly oldChunk: number;
  readonly newChunk: number;
}

/** Where the entries of a store lie, by its chunk size. */
class Areas {
  readonly chunkSectors: Sectors;
  readonly #perArea: number;

  constructor(chunkSectors: Sectors) {
    this.chunkSectors = chunkSectors;
    this.#perArea = (chunkSectors * SECTOR_BYTES) / ENTRY_BYTES;
  }

  /** Where the data of the exception goes that is the `index`th to be made. */
  newChunk(index: number): number {
    return index + 2 + Math.floor(index / this.#perArea);
  }

  sectorOf(index: number): Sectors {
    const chunk = 1 + Math.floor(index / this.#perArea) * (this.#perArea + 1);
    return (
      chunk * this.chunkSectors + Math.floor(((index % this.#perArea) * ENTRY_BYTES) / SECTOR_BYTES)
    );
  }

  offsetOf(index: number): number {
    return (index * ENTRY_BYTES) % SECTOR_BYTES;
  }
}

/** Fills the store's device with exceptions that nobody made, as an older snapshot may have left them. */
export function leaveDebris(cow: RamDisk, newChunk: number): void {
  const sector = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(sector.buffer);
  for (let at = 0; at < SECTOR_BYTES; at += ENTRY_BYTES) {
    view.setBigUint64(at, BigInt(at / ENTRY_BYTES), true);
    view.setBigUint64(at + 8, BigInt(newChunk), true);
  }
  for (let at = 1; at < cow.sizeSectors; at += 1) cow.poke(at, sector);
}

/** Makes it a store that has these chunks of its own, in this order. */
export function prepareStore(
  cow: RamDisk,
  chunkSectors: Sectors,
  oldChunks: readonly number[],
): void {
  const header = new Uint8Array(SECTOR_BYTES);
  const fields = new Uint32Array(header.buffer);
  fields.set([COW_MAGIC, 1, COW_VERSION, chunkSectors]);
  cow.poke(0, header);
  const areas = new Areas(chunkSectors);
  for (let at = 0; at < chunkSectors; at += 1)
    cow.poke(chunkSectors + at, new Uint8Array(SECTOR_BYTES));
  for (const [index, oldChunk] of oldChunks.entries()) {
    const newChunk = areas.newChunk(index);
    const sector = areas.sectorOf(index);
    if (areas.offsetOf(index) === 0) cow.poke(sector, new Uint8Array(SECTOR_BYTES));
    const entries = new Uint8Array(SECTOR_BYTES);
    cow.peek(sector, entries);
    const view = new DataView(entries.buffer);
    view.setBigUint64(areas.offsetOf(index), BigInt(oldChunk), true);
    view.setBigUint64(areas.offsetOf(index) + 8, BigInt(newChunk), true);
    cow.poke(sector, entries);
    for (let at = 0; at < chunkSectors; at += 1)
      cow.poke(newChunk * chunkSectors + at, sectorFullOf(ownTag(oldChunk * chunkSectors + at)));
  }
}

/** The entries of a store, up to the first that is none. */
export function entriesOf(cow: RamDisk, chunkSectors: Sectors): Exception[] {
  const areas = new Areas(chunkSectors);
  const exceptions: Exception[] = [];
  const sector = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(sector.buffer);
  for (;;) {
    const at = areas.sectorOf(exceptions.length);
    if (at >= cow.sizeSectors) return exceptions;
    cow.peek(at, sector);
    const offset = areas.offsetOf(exceptions.length);
    const newChunk = Number(view.getBigUint64(offset + 8, true));
    if (newChunk === 0) return exceptions;
    exceptions.push({ oldChunk: Number(view.getBigUint64(offset, true)), newChunk });
  }
}

/** What is wrong with the order of entries: chunks are handed out one after the other, none is left out. */
export function orderProblem(
  exceptions: readonly Exception[],
  chunkSectors: Sectors,
): string | null {
  const areas = new Areas(chunkSectors);
  const wrong = exceptions.findIndex(({ newChunk }, index) => newChunk !== areas.newChunk(index));
  if (wrong < 0) return null;
  return `entry ${String(wrong)} of the store names another chunk than the next one`;
}
