import type { Bytes } from "@blkstack/bio";
import type { ReplyBuffer } from "./reply-buffer.ts";
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
  writeHead(into: ReplyBuffer, at: number, request: Request, piece: number): number;
}

/** A magic, the error, the cookie; then the data, if there was no error. */
export const simpleReplies: ReplyFormat = {
  headBytesMax: SIMPLE_REPLY_BYTES,
  writeHead(into, at, request) {
    into.view.setUint32(at, SIMPLE_REPLY_MAGIC);
    into.view.setUint32(at + 4, request.error);
    into.view.setInt32(at + 8, request.cookieHigh);
    into.view.setInt32(at + 12, request.cookieLow);
    return at + SIMPLE_REPLY_BYTES;
  },
};
