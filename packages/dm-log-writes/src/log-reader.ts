import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Awaitable } from "@blkstack/task";
import { LogError } from "./log-error.ts";
import {
  decodeHead,
  decodeSuper,
  type EntryHead,
  ENTRY_BYTES,
  LOG_MAGIC,
  LOG_VERSION,
  LogFlag,
  SUPER_BYTES,
} from "./log-format.ts";
import { textOfBytes } from "./text.ts";

/** Where a log is read from: a file, a disk, memory. */
export interface LogSource {
  readonly sizeBytes: Bytes;
  /** Fills `into` with the bytes from `offsetBytes` on, which are there; false: it could not. */
  read(offsetBytes: Bytes, into: Uint8Array): Awaitable<boolean>;
}

/** One thing that was logged. */
export interface LoggedEntry {
  /** Counted from 1. */
  readonly number: number;
  /** Of `LogFlag`; 0: a plain write. */
  readonly flags: number;
  /** Where on the device, in sectors of 512 bytes. */
  readonly sector: Sectors;
  readonly sectors: Sectors;
  /** The text of a mark; null: it is none. */
  readonly mark: string | null;
  /** Where in the log its data is; `dataBytes` is 0 for a discard, a flush or a mark. */
  readonly dataAtBytes: Bytes;
  readonly dataBytes: Bytes;
}

const BLOCK_BYTES_MAX = 65_536;

/** Reads a log, and believes nothing of it: whatever it says is checked against its size. */
export class LogReader {
  /** The unit of the log. */
  readonly blockBytes: Bytes;
  /** As many entries as it claims to have. */
  readonly entryCount: bigint;
  readonly #source: LogSource;

  private constructor(source: LogSource, blockBytes: Bytes, entryCount: bigint) {
    this.#source = source;
    this.blockBytes = blockBytes;
    this.entryCount = entryCount;
  }

  /** Throws a LogError for what is no log. Waits: for the source. */
  static async open(source: LogSource): Promise<LogReader> {
    const bytes = new Uint8Array(SUPER_BYTES);
    await readBytes(source, 0, bytes, "the super block");
    const { magic, version, entryCount, blockBytes } = decodeSuper(bytes);
    if (magic !== LOG_MAGIC) {
      throw new LogError("bad-magic", `it starts with 0x${magic.toString(16)}, which no log does`);
    }
    if (version !== LOG_VERSION) {
      throw new LogError("bad-version", `it is of version ${String(version)}, not of 1`);
    }
    const isPowerOfTwo = (blockBytes & (blockBytes - 1)) === 0;
    if (!isPowerOfTwo || blockBytes < SECTOR_BYTES || blockBytes > BLOCK_BYTES_MAX) {
      const text = `blocks of ${String(blockBytes)} bytes; a power of two from 512 to 65536 would do`;
      throw new LogError("bad-block-size", text);
    }
    return new LogReader(source, blockBytes, entryCount);
  }

  /** The entries, first to last; throws a LogError at the first that cannot be. */
  async *entries(): AsyncGenerator<LoggedEntry, void, undefined> {
    const block = new Uint8Array(this.blockBytes);
    let atBytes = this.blockBytes;
    for (let number = 1; BigInt(number) <= this.entryCount; number += 1) {
      await readBytes(this.#source, atBytes, block, `entry ${String(number)}`);
      const entry = this.#entryOf(block, number, atBytes + this.blockBytes);
      yield entry;
      atBytes = entry.dataAtBytes + entry.dataBytes;
    }
  }

  /** Reads a part of the data of an entry into `into`. Throws a LogError. Waits: for the source. */
  async readData(entry: LoggedEntry, fromBytes: Bytes, into: Uint8Array): Promise<void> {
    const what = `the data of entry ${String(entry.number)}`;
    await readBytes(this.#source, entry.dataAtBytes + fromBytes, into, what);
  }

  #entryOf(block: Uint8Array, number: number, dataAtBytes: Bytes): LoggedEntry {
    const head = decodeHead(block);
    const flags = Number(BigInt.asUintN(32, head.flags));
    const blockSectors = BigInt(this.blockBytes / SECTOR_BYTES);
    const sector = head.block * blockSectors;
    const sectors = head.blockCount * blockSectors;
    if (sector + sectors > BigInt(Number.MAX_SAFE_INTEGER)) {
      const range = `block ${String(head.block)}, ${String(head.blockCount)} blocks`;
      throw new LogError("absurd-entry", `entry ${String(number)} is for ${range}`);
    }
    const hasData = (flags & LogFlag.Discard) === 0;
    const dataBytes = hasData ? sectors * BigInt(SECTOR_BYTES) : 0n;
    if (BigInt(dataAtBytes) + dataBytes > BigInt(this.#source.sizeBytes)) {
      const text = `the log ends inside the ${String(dataBytes)} bytes of entry ${String(number)}`;
      throw new LogError("truncated", text);
    }
    return {
      number,
      flags,
      sector: Number(sector),
      sectors: Number(sectors),
      mark: (flags & LogFlag.Mark) === 0 ? null : textOf(block, head, number),
      dataAtBytes,
      dataBytes: Number(dataBytes),
    };
  }
}

function textOf(block: Uint8Array, { textBytes }: EntryHead, number: number): string {
  if (textBytes > BigInt(block.length - ENTRY_BYTES)) {
    const text = `the mark that is entry ${String(number)} claims ${String(textBytes)} bytes of text`;
    throw new LogError("bad-mark", text);
  }
  return textOfBytes(block.subarray(ENTRY_BYTES, ENTRY_BYTES + Number(textBytes)));
}

async function readBytes(
  source: LogSource,
  atBytes: Bytes,
  into: Uint8Array,
  what: string,
): Promise<void> {
  if (atBytes + into.length > source.sizeBytes) {
    const size = String(source.sizeBytes);
    throw new LogError("truncated", `the log ends before ${what}, after ${size} bytes`);
  }
  if (await source.read(atBytes, into)) return;
  throw new LogError("unreadable", `${what} cannot be read, at byte ${String(atBytes)}`);
}
