import type { Bytes } from "@blkstack/bio";
import type { ReplyBuffer } from "./reply-buffer.ts";
import type { Request } from "./request.ts";
import {
  CHUNK_HEADER_BYTES,
  CHUNK_MAGIC,
  EXTENDED_CHUNK_MAGIC,
  EXTENDED_HEADER_BYTES,
} from "./wire.ts";

/** What precedes the body of every chunk of a reply. */
export interface ChunkHead {
  readonly bytes: Bytes;
  /** Writes the head of a chunk without a body; answers where a body would begin. */
  write(into: ReplyBuffer, at: number, request: Request, flagsAndType: number): number;
  /** Says how long the body at `bodyAt` has become. */
  setBodyBytes(into: ReplyBuffer, bodyAt: number, bodyBytes: Bytes): void;
}

export const structuredHead: ChunkHead = {
  bytes: CHUNK_HEADER_BYTES,
  write(into, at, request, flagsAndType) {
    into.view.setUint32(at, CHUNK_MAGIC);
    writeTypeAndCookie(into, at, request, flagsAndType);
    into.view.setUint32(at + 16, 0);
    return at + CHUNK_HEADER_BYTES;
  },
  setBodyBytes(into, bodyAt, bodyBytes) {
    into.view.setUint32(bodyAt - 4, bodyBytes);
  },
};

/** Also repeats the offset of the request. The body is no longer than in a shorter head. */
export const extendedHead: ChunkHead = {
  bytes: EXTENDED_HEADER_BYTES,
  write(into, at, request, flagsAndType) {
    into.view.setUint32(at, EXTENDED_CHUNK_MAGIC);
    writeTypeAndCookie(into, at, request, flagsAndType);
    into.view.setInt32(at + 16, request.offsetHigh);
    into.view.setInt32(at + 20, request.offsetLow);
    into.view.setUint32(at + 24, 0);
    into.view.setUint32(at + 28, 0);
    return at + EXTENDED_HEADER_BYTES;
  },
  setBodyBytes(into, bodyAt, bodyBytes) {
    into.view.setUint32(bodyAt - 4, bodyBytes);
  },
};

function writeTypeAndCookie(
  into: ReplyBuffer,
  at: number,
  { cookieHigh, cookieLow }: Request,
  flagsAndType: number,
): void {
  into.view.setUint32(at + 4, flagsAndType);
  into.view.setInt32(at + 8, cookieHigh);
  into.view.setInt32(at + 12, cookieLow);
}
