import type { StatusReply } from "./block-status.ts";
import { ERROR_TEXT_BYTES_MAX, textOfError } from "./error-text.ts";
import type { ReplyFormat } from "./reply-format.ts";
import type { Request } from "./request.ts";
import {
  Chunk,
  CHUNK_DONE,
  CHUNK_HEADER_BYTES,
  CHUNK_MAGIC,
  ReplyError,
  writeUint64,
} from "./wire.ts";

const OFFSET_BYTES = 8;
/** The error and the length of its text. */
const ERROR_BYTES = 4 + 2;

const HOLE_BYTES = OFFSET_BYTES + 4;

/** Data with its offset, an error with its text, or nothing: one chunk, or one for each piece. */
export const structuredReplies: ReplyFormat = {
  headBytesMax: CHUNK_HEADER_BYTES + ERROR_BYTES + ERROR_TEXT_BYTES_MAX + OFFSET_BYTES,
  writeHead(into, at, request, piece) {
    if (request.error !== ReplyError.Ok) return writeError(into, at, request);
    if (request.pieces.count > 0) return writePiece(into, at, request, piece);
    const dataBytes = request.replyDataBytes;
    if (dataBytes === 0) return writeHeader(into, at, request, Chunk.None | CHUNK_DONE);
    const bodyAt = writeHeader(into, at, request, Chunk.OffsetData | CHUNK_DONE);
    setBodyBytes(into, bodyAt, OFFSET_BYTES + dataBytes);
    writeUint64(into, bodyAt, request.offsetBytes);
    return bodyAt + OFFSET_BYTES;
  },
};

function writePiece(into: Buffer, at: number, request: Request, piece: number): number {
  const { pieces } = request;
  const isHole = pieces.isHole(piece);
  const done = piece === pieces.count - 1 ? CHUNK_DONE : 0;
  const type = isHole ? Chunk.OffsetHole : Chunk.OffsetData;
  const bodyAt = writeHeader(into, at, request, type | done);
  const begin = pieces.beginOf(piece);
  const bytes = pieces.endOf(piece) - begin;
  writeUint64(into, bodyAt, request.offsetBytes + begin);
  if (!isHole) {
    setBodyBytes(into, bodyAt, OFFSET_BYTES + bytes);
    return bodyAt + OFFSET_BYTES;
  }
  setBodyBytes(into, bodyAt, HOLE_BYTES);
  into.writeUInt32BE(bytes, bodyAt + OFFSET_BYTES);
  return bodyAt + HOLE_BYTES;
}

/** A BLOCK_STATUS answered by all of its contexts, laid out whole. */
export function layOutStatus(request: Request, replies: readonly StatusReply[]): Buffer {
  const bytes = replies.reduce((sum, { lengths }) => sum + STATUS_BYTES + 8 * lengths.length, 0);
  const into = Buffer.alloc(bytes);
  let at = 0;
  for (const [index, reply] of replies.entries()) {
    const done = index === replies.length - 1 ? CHUNK_DONE : 0;
    const bodyAt = writeHeader(into, at, request, Chunk.BlockStatus | done);
    at = into.writeUInt32BE(reply.context.id, bodyAt);
    for (const [extent, length] of reply.lengths.entries()) {
      at = into.writeUInt32BE(length, at);
      at = into.writeUInt32BE(reply.statuses[extent] ?? 0, at);
    }
    setBodyBytes(into, bodyAt, at - bodyAt);
  }
  return into;
}

/** The header of a chunk and the number of a context. */
const STATUS_BYTES = CHUNK_HEADER_BYTES + 4;

function writeError(into: Buffer, at: number, request: Request): number {
  const { error, errorAtBytes } = request;
  const text = request.errorText ?? textOfError(error);
  const isPlaced = errorAtBytes >= 0;
  const type = isPlaced ? Chunk.ErrorOffset : Chunk.Error;
  const bodyAt = writeHeader(into, at, request, type | CHUNK_DONE);
  into.writeUInt32BE(error, bodyAt);
  into.writeUInt16BE(text.length, bodyAt + 4);
  into.set(text, bodyAt + ERROR_BYTES);
  let end = bodyAt + ERROR_BYTES + text.length;
  if (isPlaced) {
    writeUint64(into, end, errorAtBytes);
    end += OFFSET_BYTES;
  }
  setBodyBytes(into, bodyAt, end - bodyAt);
  return end;
}

/** A header of a chunk without a body; answers where a body would begin. */
function writeHeader(into: Buffer, at: number, request: Request, flagsAndType: number): number {
  into.writeUInt32BE(CHUNK_MAGIC, at);
  into.writeUInt32BE(flagsAndType, at + 4);
  into.writeInt32BE(request.cookieHigh, at + 8);
  into.writeInt32BE(request.cookieLow, at + 12);
  into.writeUInt32BE(0, at + 16);
  return at + CHUNK_HEADER_BYTES;
}

function setBodyBytes(into: Buffer, bodyAt: number, bodyBytes: number): void {
  into.writeUInt32BE(bodyBytes, bodyAt - 4);
}
