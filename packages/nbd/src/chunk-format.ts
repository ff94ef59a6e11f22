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

/** Data with its offset, an error with its text, or nothing: each in one chunk, the last of its reply. */
export const structuredReplies: ReplyFormat = {
  headBytesMax: CHUNK_HEADER_BYTES + ERROR_BYTES + ERROR_TEXT_BYTES_MAX + OFFSET_BYTES,
  writeHead(into, at, request) {
    if (request.error !== ReplyError.Ok) return writeError(into, at, request);
    const dataBytes = request.replyDataBytes;
    if (dataBytes === 0) return writeHeader(into, at, request, Chunk.None | CHUNK_DONE);
    const bodyAt = writeHeader(into, at, request, Chunk.OffsetData | CHUNK_DONE);
    setBodyBytes(into, bodyAt, OFFSET_BYTES + dataBytes);
    writeUint64(into, bodyAt, request.offsetBytes);
    return bodyAt + OFFSET_BYTES;
  },
};

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
