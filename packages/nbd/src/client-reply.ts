import type { Bytes } from "@blkstack/bio";
import type { ByteStream } from "./byte-stream.ts";
import { NbdError, protocolError } from "./client-error.ts";
import type { RequestFields } from "./client-request.ts";
import { type AllocationExtent, takeExtents } from "./client-status.ts";
import {
  Chunk,
  CHUNK_HEADER_BYTES,
  CHUNK_MAGIC,
  Command,
  EXTENDED_CHUNK_MAGIC,
  EXTENDED_HEADER_BYTES,
  readUint64,
  STRING_BYTES_MAX,
} from "./wire.ts";

const OFFSET_BYTES = 8;
const ERROR_BYTES = 4 + 2;
/** An error, its text, and whatever else a kind of error may tell. */
const ERROR_BODY_BYTES_MAX = ERROR_BYTES + STRING_BYTES_MAX + 64;
/** In more pieces no reply of at most 32 MiB is worth telling. */
const PIECES_MAX = 10_000;

const ERROR_BIT = 0x8000;

/** What precedes the body of a chunk. */
export interface ChunkStart {
  readonly isLast: boolean;
  readonly type: number;
  readonly cookie: number;
  /** Of the request; null: the header has no room for it. */
  readonly offsetBytes: Bytes | null;
  readonly bodyBytes: Bytes;
}

/** Waits: for the next chunk. Throws NbdError `NBD_PROTOCOL` when it is none. */
export async function takeChunkStart(stream: ByteStream): Promise<ChunkStart> {
  const head = await stream.take(EXTENDED_HEADER_BYTES);
  if (head.readUInt32BE(0) !== EXTENDED_CHUNK_MAGIC) throw protocolError("a chunk without magic");
  return {
    isLast: head.readUInt16BE(4) === 1,
    type: head.readUInt16BE(6),
    cookie: readUint64(head, 8),
    offsetBytes: readUint64(head, 16),
    bodyBytes: readUint64(head, 24),
  };
}

/** The same of a chunk without extended headers, whose first bytes, those of a simple reply, have come. */
export async function takeCompactStart(stream: ByteStream, begun: Buffer): Promise<ChunkStart> {
  if (begun.readUInt32BE(0) !== CHUNK_MAGIC) throw protocolError("a reply without magic");
  const rest = await stream.take(CHUNK_HEADER_BYTES - begun.length);
  return {
    isLast: begun.readUInt16BE(4) === 1,
    type: begun.readUInt16BE(6),
    cookie: readUint64(begun, 8),
    offsetBytes: null,
    bodyBytes: rest.readUInt32BE(0),
  };
}

interface Piece {
  readonly begin: Bytes;
  readonly end: Bytes;
}

/** A reply that comes in chunks. Every length, offset and order in it may be a lie. */
export class ChunkedReply {
  readonly #request: RequestFields;
  readonly #data: Buffer;
  /** Of the data, what has come. */
  readonly #pieces: Piece[] = [];
  #bytes: Bytes = 0;
  #error: NbdError | null = null;
  /** What the context was called that was asked for. */
  readonly #contextId: number | null;
  /** Of a reply to BLOCK_STATUS: from the beginning of its range. */
  extents: readonly AllocationExtent[] = [];

  constructor(request: RequestFields, contextId: number | null = null) {
    this.#request = request;
    this.#contextId = contextId;
    this.#data = Buffer.alloc(request.command === Command.Read ? request.lengthBytes : 0);
  }

  /** Waits: for the body of a chunk. Throws NbdError `NBD_PROTOCOL`. */
  async take(stream: ByteStream, { type, offsetBytes, bodyBytes }: ChunkStart): Promise<void> {
    const isExtended = offsetBytes !== null;
    if (isExtended && offsetBytes !== this.#request.offsetBytes) {
      throw protocolError("a chunk of elsewhere");
    }
    const status = isExtended ? Chunk.ExtendedBlockStatus : Chunk.BlockStatus;
    if (type === status && this.#contextId !== null && this.extents.length === 0) {
      this.extents = await takeExtents(stream, { bodyBytes, isExtended }, this.#contextId);
    } else if ((type & ERROR_BIT) !== 0) await this.#takeError(stream, bodyBytes);
    else if (type === Chunk.OffsetData) await this.#takeData(stream, bodyBytes);
    else if (type === Chunk.OffsetHole) await this.#takeHole(stream, bodyBytes);
    else if (type !== Chunk.None || bodyBytes > 0) throw protocolError("an odd chunk");
  }

  /** What all chunks together say. Throws NbdError, `NBD_REPLY` for the server's error. */
  finish(): Buffer {
    if (this.#error !== null) throw this.#error;
    if (this.#bytes < this.#data.length) throw protocolError("a read that was answered in part");
    if (this.#contextId !== null && this.extents.length === 0) {
      throw protocolError("a status without extents");
    }
    return this.#data;
  }

  async #takeError(stream: ByteStream, bodyBytes: Bytes): Promise<void> {
    if (bodyBytes < ERROR_BYTES || bodyBytes > ERROR_BODY_BYTES_MAX) {
      throw protocolError(`an error of ${String(bodyBytes)} bytes`);
    }
    const body = await stream.take(bodyBytes);
    const errno = body.readUInt32BE(0);
    const textEnd = ERROR_BYTES + body.readUInt16BE(4);
    if (textEnd > bodyBytes) throw protocolError("an error longer than its chunk");
    if (errno === 0) throw protocolError("an error that is none");
    const text = body.toString("utf8", ERROR_BYTES, textEnd);
    const why = text === "" ? "" : `: ${text}`;
    const message = `the server answers error ${String(errno)}${why}`;
    this.#error ??= new NbdError("NBD_REPLY", message, errno);
  }

  async #takeData(stream: ByteStream, bodyBytes: Bytes): Promise<void> {
    const dataBytes = bodyBytes - OFFSET_BYTES;
    if (dataBytes <= 0 || dataBytes > this.#data.length) throw protocolError("too much data");
    const at = this.#claim(readUint64(await stream.take(OFFSET_BYTES), 0), dataBytes);
    this.#data.set(await stream.take(dataBytes), at);
  }

  async #takeHole(stream: ByteStream, bodyBytes: Bytes): Promise<void> {
    if (bodyBytes !== OFFSET_BYTES + 4) throw protocolError("a hole of too many or few bytes");
    const body = await stream.take(bodyBytes);
    // The memory of a reply is zeroes from the beginning.
    this.#claim(readUint64(body, 0), body.readUInt32BE(OFFSET_BYTES));
  }

  /** Marks a part of the data as told; answers where it begins. */
  #claim(offsetBytes: Bytes, lengthBytes: Bytes): Bytes {
    const begin = offsetBytes - this.#request.offsetBytes;
    const end = begin + lengthBytes;
    if (begin < 0 || lengthBytes === 0 || end > this.#data.length) {
      throw protocolError("data that was not asked for");
    }
    if (this.#pieces.length === PIECES_MAX) throw protocolError("a reply in too many pieces");
    if (this.#pieces.some((piece) => begin < piece.end && piece.begin < end)) {
      throw protocolError("the same data twice");
    }
    this.#pieces.push({ begin, end });
    this.#bytes += lengthBytes;
    return begin;
  }
}
