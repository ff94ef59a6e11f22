import type { Bytes } from "@blkstack/bio";
import { type ChunkHead, extendedHead, structuredHead } from "./chunk-head.ts";
import { ERROR_TEXT_BYTES_MAX, textOfError } from "./error-text.ts";
import type { ReplyFormat } from "./reply-format.ts";
import type { ReplyBuffer } from "./reply-buffer.ts";
import type { Request } from "./request.ts";
import { Chunk, CHUNK_DONE, ReplyError, setUint64 } from "./wire.ts";

const OFFSET_BYTES = 8;
/** The error and the length of its text. */
const ERROR_BYTES = 4 + 2;

const HOLE_BYTES = OFFSET_BYTES + 4;

/** Data with its offset, an error with its text, or nothing: one chunk, or one for each piece. */
class ChunkReplies implements ReplyFormat {
  readonly headBytesMax: Bytes;
  readonly #head: ChunkHead;

  constructor(head: ChunkHead) {
    this.#head = head;
    this.headBytesMax = head.bytes + ERROR_BYTES + ERROR_TEXT_BYTES_MAX + OFFSET_BYTES;
  }

  writeHead(into: ReplyBuffer, at: number, request: Request, piece: number): number {
    if (request.error !== ReplyError.Ok) return this.#writeError(into, at, request);
    if (request.pieces.count > 0) return this.#writePiece(into, at, request, piece);
    const dataBytes = request.replyDataBytes;
    if (dataBytes === 0) return this.#head.write(into, at, request, Chunk.None | CHUNK_DONE);
    const bodyAt = this.#head.write(into, at, request, Chunk.OffsetData | CHUNK_DONE);
    this.#head.setBodyBytes(into, bodyAt, OFFSET_BYTES + dataBytes);
    setUint64(into.view, bodyAt, request.offsetBytes);
    return bodyAt + OFFSET_BYTES;
  }

  #writePiece(into: ReplyBuffer, at: number, request: Request, piece: number): number {
    const { pieces } = request;
    const isHole = pieces.isHole(piece);
    const done = piece === pieces.count - 1 ? CHUNK_DONE : 0;
    const type = isHole ? Chunk.OffsetHole : Chunk.OffsetData;
    const bodyAt = this.#head.write(into, at, request, type | done);
    const begin = pieces.beginOf(piece);
    const bytes = pieces.endOf(piece) - begin;
    setUint64(into.view, bodyAt, request.offsetBytes + begin);
    if (!isHole) {
      this.#head.setBodyBytes(into, bodyAt, OFFSET_BYTES + bytes);
      return bodyAt + OFFSET_BYTES;
    }
    this.#head.setBodyBytes(into, bodyAt, HOLE_BYTES);
    into.view.setUint32(bodyAt + OFFSET_BYTES, bytes);
    return bodyAt + HOLE_BYTES;
  }

  #writeError(into: ReplyBuffer, at: number, request: Request): number {
    const { error, errorAtBytes } = request;
    const text = request.errorText ?? textOfError(error);
    const isPlaced = errorAtBytes >= 0;
    const type = isPlaced ? Chunk.ErrorOffset : Chunk.Error;
    const bodyAt = this.#head.write(into, at, request, type | CHUNK_DONE);
    into.view.setUint32(bodyAt, error);
    into.view.setUint16(bodyAt + 4, text.length);
    into.bytes.set(text, bodyAt + ERROR_BYTES);
    let end = bodyAt + ERROR_BYTES + text.length;
    if (isPlaced) {
      setUint64(into.view, end, errorAtBytes);
      end += OFFSET_BYTES;
    }
    this.#head.setBodyBytes(into, bodyAt, end - bodyAt);
    return end;
  }
}

export const structuredReplies: ReplyFormat = new ChunkReplies(structuredHead);
export const extendedReplies: ReplyFormat = new ChunkReplies(extendedHead);
