import { SECTOR_BYTES } from "@blkstack/bio";
import { encodeHead, encodeSuper, ENTRY_BYTES } from "../src/log-format.ts";

/** An entry of a log that is made up. */
export interface MadeEntry {
  readonly flags: number;
  readonly sector?: number;
  readonly sectors?: number;
  /** Each byte of the data; a discard has none. */
  readonly byte?: number | null;
  readonly mark?: string;
}

/** A log with these entries, as a disk holds it. */
export function madeLog(entries: readonly MadeEntry[]): Uint8Array {
  const blocks = [new Uint8Array(SECTOR_BYTES)];
  encodeSuper(blocks[0] ?? new Uint8Array(), entries.length, SECTOR_BYTES);
  for (const { flags, sector = 0, sectors = 0, byte = null, mark = "" } of entries) {
    const head = new Uint8Array(SECTOR_BYTES);
    const text = new TextEncoder().encode(mark);
    encodeHead(head, {
      block: BigInt(sector),
      blockCount: BigInt(sectors),
      flags: BigInt(flags),
      textBytes: BigInt(text.length),
    });
    head.set(text, ENTRY_BYTES);
    blocks.push(head);
    if (byte !== null) blocks.push(new Uint8Array(sectors * SECTOR_BYTES).fill(byte));
  }
  return new Uint8Array(Buffer.concat(blocks));
}
