import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import {
  type BlockDevice,
  type Extent,
  ExtentFlag,
  ExtentLayer,
  findExtent,
  setData,
} from "@blkstack/block";

/** A reply has no more pieces: what is left is data. */
const PIECES_MAX = 32;
/** Nor is the device asked more often. */
const LOOKS_MAX = 1024;
/** A smaller hole is not worth a chunk of its own. */
const HOLE_BYTES_MIN = 4096;

/** How a READ is cut into data and holes, whose zeroes do not travel. Kept with the request. */
export class ReadPieces {
  /** 0: not cut, and all data. */
  count = 0;
  readonly #ends: Bytes[] = [];
  readonly #areHoles: boolean[] = [];

  /** What travels. */
  dataBytes: Bytes = 0;

  /** Where a piece ends, counted from the beginning of the request. */
  endOf(index: number): Bytes {
    return this.#ends[index] ?? 0;
  }

  beginOf(index: number): Bytes {
    return index === 0 ? 0 : this.endOf(index - 1);
  }

  isHole(index: number): boolean {
    return this.#areHoles[index] === true;
  }

  /** Whether there is nothing to read at all. */
  get isOneHole(): boolean {
    return this.count === 1 && this.isHole(0);
  }

  clear(): void {
    this.count = 0;
  }

  /**
   * Asks the device where a range, which lies within it, has holes. Whoever writes meanwhile is no
   * earlier than this read.
   *
   * Waits: never.
   */
  find(device: BlockDevice, offsetBytes: Bytes, lengthBytes: Bytes): void {
    this.count = 0;
    this.dataBytes = 0;
    let at = 0;
    for (let looks = 0; at < lengthBytes; looks += 1) {
      const isLast = this.count >= PIECES_MAX - 1 || looks === LOOKS_MAX;
      const sector = Math.floor((offsetBytes + at) / SECTOR_BYTES);
      EXTENT.sectors = Math.ceil((offsetBytes + lengthBytes) / SECTOR_BYTES) - sector;
      if (isLast) setData(EXTENT);
      else findExtent(device, sector, EXTENT);
      const next = Math.min(lengthBytes, (sector + EXTENT.sectors) * SECTOR_BYTES - offsetBytes);
      const isZero = (EXTENT.flags & ExtentFlag.Zero) !== 0;
      this.#add(next, isZero && next - at >= HOLE_BYTES_MIN, next - at);
      at = next;
    }
    if (this.count === 1 && !this.isHole(0)) this.count = 0;
  }

  #add(end: Bytes, isHole: boolean, lengthBytes: Bytes): void {
    if (!isHole) this.dataBytes += lengthBytes;
    if (this.count === 0 || this.isHole(this.count - 1) !== isHole) this.count += 1;
    this.#ends[this.count - 1] = end;
    this.#areHoles[this.count - 1] = isHole;
  }
}

/** Asked and looked at again before anybody else runs. */
const EXTENT: Extent = { sectors: 0, flags: 0, layer: ExtentLayer.Only };
