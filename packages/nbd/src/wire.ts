/** Numbers of the protocol, as they travel. 64-bit magics come as their two halves. */
export const NBD_MAGIC: readonly [number, number] = [0x4e42_444d, 0x4147_4943];
export const OPTION_MAGIC: readonly [number, number] = [0x4948_4156, 0x454f_5054];
export const OPTION_REPLY_MAGIC: readonly [number, number] = [0x0003_e889, 0x0455_65a9];
export const REQUEST_MAGIC = 0x2560_9513;
export const SIMPLE_REPLY_MAGIC = 0x6744_6698;
export const CHUNK_MAGIC = 0x668e_33ef;
export const EXTENDED_REQUEST_MAGIC = 0x21e4_1c71;
export const EXTENDED_CHUNK_MAGIC = 0x6e8a_278c;

export const REQUEST_BYTES = 28;
export const SIMPLE_REPLY_BYTES = 16;
export const CHUNK_HEADER_BYTES = 20;
/** Of requests and of chunks alike. */
export const EXTENDED_HEADER_BYTES = 32;
export const OPTION_HEADER_BYTES = 16;
export const OPTION_REPLY_HEADER_BYTES = 20;

/** Names and texts are at most this long, in bytes of UTF-8. */
export const STRING_BYTES_MAX = 4096;
/** The zeroes behind the answer to EXPORT_NAME, unless the client asked to be spared. */
export const EXPORT_NAME_PADDING_BYTES = 124;

export const HandshakeFlag = { FixedNewstyle: 0x1, NoZeroes: 0x2 } as const;

export const Option = {
  ExportName: 1,
  Abort: 2,
  List: 3,
  StartTls: 5,
  Info: 6,
  Go: 7,
  StructuredReply: 8,
  ListMetaContext: 9,
  SetMetaContext: 10,
  ExtendedHeaders: 11,
} as const;

export const OptionReply = {
  Ack: 1,
  Server: 2,
  Info: 3,
  MetaContext: 4,
  ErrUnsupported: 0x8000_0001,
  ErrPolicy: 0x8000_0002,
  ErrInvalid: 0x8000_0003,
  ErrTlsRequired: 0x8000_0005,
  ErrUnknown: 0x8000_0006,
  ErrShutdown: 0x8000_0007,
  ErrTooBig: 0x8000_0009,
  ErrExtendedHeaders: 0x8000_000a,
} as const;

export const Info = { Export: 0, Name: 1, Description: 2, BlockSize: 3 } as const;

/** What an export can do: bits of the transmission flags. */
export const TransmissionFlag = {
  HasFlags: 0x1,
  ReadOnly: 0x2,
  SendFlush: 0x4,
  SendFua: 0x8,
  SendTrim: 0x20,
  SendWriteZeroes: 0x40,
  SendDontFragment: 0x80,
  CanMultiConn: 0x100,
  SendCache: 0x400,
  SendFastZero: 0x800,
  BlockStatusPayload: 0x1000,
} as const;

export const Command = {
  Read: 0,
  Write: 1,
  Disconnect: 2,
  Flush: 3,
  Trim: 4,
  Cache: 5,
  WriteZeroes: 6,
  BlockStatus: 7,
} as const;

export const CommandFlag = {
  Fua: 0x1,
  NoHole: 0x2,
  DontFragment: 0x4,
  RequestOne: 0x8,
  FastZero: 0x10,
  /** The length is that of a payload which follows; only with extended headers. */
  PayloadLength: 0x20,
} as const;

/** What a chunk of a structured reply brings. */
export const Chunk = {
  None: 0,
  OffsetData: 1,
  OffsetHole: 2,
  BlockStatus: 5,
  ExtendedBlockStatus: 6,
  Error: 0x8001,
  ErrorOffset: 0x8002,
} as const;

/** Says that a chunk is the last of its reply: a flag, which travels before the type. */
export const CHUNK_DONE = 0x1_0000;

/** Error numbers of replies; they are the protocol's, whatever the platform calls its own. */
export const ReplyError = {
  Ok: 0,
  Perm: 1,
  Io: 5,
  NoMemory: 12,
  Invalid: 22,
  NoSpace: 28,
  NotSupported: 95,
  Shutdown: 108,
} as const;
export type ReplyError = (typeof ReplyError)[keyof typeof ReplyError];

const TWO_32 = 0x1_0000_0000;

/**
 * Reads an unsigned 64-bit number as a float: exact up to 2^53, and beyond that merely too large
 * for any device, which is all that a comparison wants to know.
 */
export function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4);
}

/** Writes a whole number below 2^53. */
export function writeUint64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / TWO_32), at);
  bytes.writeUInt32BE(value % TWO_32, at + 4);
}

/** As `readUint64`, of a view: where every request is read, that is several times faster. */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
}

/** As `writeUint64`, in a view. */
export function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value % TWO_32);
}
