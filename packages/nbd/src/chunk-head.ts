import type { Bytes } from "@blkstack/bio";
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
  write(into: Buffer, at: number, request: Request, flagsAndType: number): number;
  /** Says how long the body at `bodyAt` has become. */
  setBodyBytes(into: Buffer, bodyAt: number, bodyBytes: Bytes): void;
}

export const structuredHead: ChunkHead = {
  bytes: CHUNK_HEADER_BYTES,
  write(into, at, request, flagsAndType) {
    into.writeUInt32BE(CHUNK_MAGIC, at);
    writeTypeAndCookie(into, at, request, flagsAndType);
    into.writeUInt32BE(0, at + 16);
    return at + CHUNK_HEADER_BYTES;
  },
  setBodyBytes(into, bodyAt, bodyBytes) {
    into.writeUInt32BE(bodyBytes, bodyAt - 4);
  },
};

/** Also repeats the offset of the request. The body is no longer than in a shorter head. */
export const extendedHead: ChunkHead = {
  bytes: EXTENDED_HEADER_BYTES,
  write(into, at, request, flagsAndType) {
    into.writeUInt32BE(EXTENDED_CHUNK_MAGIC, at);
    writeTypeAndCookie(into, at, request, flagsAndType);
    into.writeInt32BE(request.offsetHigh, at + 16);
    into.writeInt32BE(request.offsetLow, at + 20);
    into.writeUInt32BE(0, at + 24);
    into.writeUInt32BE(0, at + 28);
    return at + EXTENDED_HEADER_BYTES;
  },
  setBodyBytes(into, bodyAt, bodyBytes) {
    into.writeUInt32BE(bodyBytes, bodyAt - 4);
  },
};

function writeTypeAndCookie(
  into: Buffer,
  at: number,
  { cookieHigh, cookieLow }: Request,
  flagsAndType: number,
): void {
  into.writeUInt32BE(flagsAndType, at + 4);
  into.writeInt32BE(cookieHigh, at + 8);
  into.writeInt32BE(cookieLow, at + 12);
}
