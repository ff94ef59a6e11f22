import type { Bytes } from "@blkstack/bio";
import type { Request } from "./request.ts";
import { SIMPLE_REPLY_BYTES, SIMPLE_REPLY_MAGIC } from "./wire.ts";

/** How the outcome of a request is told. The payload of a READ follows the head as it is. */
export interface ReplyFormat {
  /** The longest head there is. */
  readonly headBytesMax: Bytes;
  /**
   * Writes what precedes the payload, or one piece of it when the request is cut; answers where
   * that head ends.
   */
  writeHead(into: Buffer, at: number, request: Request, piece: number): number;
}

/** A magic, the error, the cookie; then the data, if there was no error. */
export const simpleReplies: ReplyFormat = {
  headBytesMax: SIMPLE_REPLY_BYTES,
  writeHead(into, at, request) {
    into.writeUInt32BE(SIMPLE_REPLY_MAGIC, at);
    into.writeUInt32BE(request.error, at + 4);
    into.writeInt32BE(request.cookieHigh, at + 8);
    into.writeInt32BE(request.cookieLow, at + 12);
    return at + SIMPLE_REPLY_BYTES;
  },
};
