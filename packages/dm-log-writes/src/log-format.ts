/** What an entry is; one bit each. None: a plain write. */
export const LogFlag = {
  Flush: 1,
  Fua: 2,
  Discard: 4,
  Mark: 8,
  Metadata: 16,
} as const;

/** The mark behind the last entry of a log that was ended in good order. */
export const END_MARK = "dm-log-writes-end";

export const LOG_MAGIC = 0x006a_7366_7773_6872n;
export const LOG_VERSION = 1n;

/** Bytes of the super block that say something. */
export const SUPER_BYTES = 28;
/** Bytes of the head of an entry; behind them is the text of a mark. */
export const ENTRY_BYTES = 32;

/** What a super block says: all numbers as they stand there. */
export interface LogSuper {
  readonly magic: bigint;
  readonly version: bigint;
  readonly entryCount: bigint;
  /** The unit of the log: everything in it is counted in blocks of so many bytes. */
  readonly blockBytes: number;
}

/** What the head of an entry says: all numbers as they stand there, in blocks. */
export interface EntryHead {
  readonly block: bigint;
  readonly blockCount: bigint;
  readonly flags: bigint;
  /** Of the text of a mark. */
  readonly textBytes: bigint;
}

/** Writes a super block over the beginning of `into`, whose rest is left as it is. */
export function encodeSuper(into: Uint8Array, entryCount: number, blockBytes: number): void {
  const view = viewOf(into);
  view.setBigUint64(0, LOG_MAGIC, true);
  view.setBigUint64(8, LOG_VERSION, true);
  view.setBigUint64(16, BigInt(entryCount), true);
  view.setUint32(24, blockBytes, true);
}

/** Throws a RangeError for less than `SUPER_BYTES`. */
export function decodeSuper(bytes: Uint8Array): LogSuper {
  const view = viewOf(bytes);
  return {
    magic: view.getBigUint64(0, true),
    version: view.getBigUint64(8, true),
    entryCount: view.getBigUint64(16, true),
    blockBytes: view.getUint32(24, true),
  };
}

/** Writes the head of an entry over the beginning of `into`. */
export function encodeHead(into: Uint8Array, head: EntryHead): void {
  const view = viewOf(into);
  view.setBigUint64(0, head.block, true);
  view.setBigUint64(8, head.blockCount, true);
  view.setBigUint64(16, head.flags, true);
  view.setBigUint64(24, head.textBytes, true);
}

/** Throws a RangeError for less than `ENTRY_BYTES`. */
export function decodeHead(bytes: Uint8Array): EntryHead {
  const view = viewOf(bytes);
  return {
    block: view.getBigUint64(0, true),
    blockCount: view.getBigUint64(8, true),
    flags: view.getBigUint64(16, true),
    textBytes: view.getBigUint64(24, true),
  };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
