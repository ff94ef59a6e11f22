import { type Bytes, type Page, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { encodeHead, ENTRY_BYTES, LogFlag } from "./log-format.ts";
import { bytesOfText } from "./text.ts";

/** Something that is to be in the log, with the memory that it is written from. */
export interface LogEntry {
  /** Where on the device, and how much. */
  readonly sector: Sectors;
  readonly sectors: Sectors;
  readonly flags: number;
  /** Of a mark; else empty. */
  readonly text: string;
  readonly head: Page;
  /** Null: an entry without data. */
  readonly data: Page | null;
  /** Where in the log it begins, once that is known. */
  place: Sectors;
  /** How many entries the log has with it. */
  number: number;
}

/** How many bytes of data follow the head of an entry. */
export function dataBytesOf({ sectors, flags }: LogEntry): Bytes {
  return (flags & LogFlag.Discard) === 0 ? sectors * SECTOR_BYTES : 0;
}

/** Writes the head of an entry as the first block of its memory. */
export function writeHead(entry: LogEntry, blockBytes: Bytes): void {
  const { sector, sectors, flags, text, head } = entry;
  const block = head.bytes.subarray(0, blockBytes);
  const blockSectors = blockBytes / SECTOR_BYTES;
  const words = bytesOfText(text);
  block.fill(0);
  encodeHead(block, {
    block: BigInt(Math.floor(sector / blockSectors)),
    blockCount: BigInt(Math.ceil(sectors / blockSectors)),
    flags: BigInt(flags),
    textBytes: BigInt(words.length),
  });
  block.set(words, ENTRY_BYTES);
}

/** A mark has memory of its own: it is people who make marks, one at a time. */
export function markEntry(text: string, blockBytes: Bytes): LogEntry {
  const head: Page = { bytes: new Uint8Array(blockBytes), frame: 0 };
  const flags = LogFlag.Mark;
  return { sector: 0, sectors: 0, flags, text, head, data: null, place: 0, number: 0 };
}
