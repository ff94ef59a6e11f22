import type { Bytes } from "@blkstack/bio";
import { ReplyError } from "./wire.ts";

/** No text about a request is longer, so that a reply has its place before it is written. */
export const ERROR_TEXT_BYTES_MAX: Bytes = 100;

/** A text about what is wrong with a request, as it travels. */
export function requestErrorText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > ERROR_TEXT_BYTES_MAX) throw new RangeError(`too long for a reply: ${text}`);
  return bytes;
}

const OTHERWISE = requestErrorText("the request failed");

const TEXTS: ReadonlyMap<ReplyError, Buffer> = new Map([
  [ReplyError.Perm, requestErrorText("the device is read-only")],
  [ReplyError.Io, requestErrorText("the device reports an I/O error")],
  [ReplyError.NoMemory, requestErrorText("there is not enough memory")],
  [ReplyError.Invalid, requestErrorText("the request is not valid")],
  [ReplyError.NoSpace, requestErrorText("the device has no space left")],
  [ReplyError.Shutdown, requestErrorText("the server stops")],
  [ReplyError.NotSupported, requestErrorText("the device cannot do this, or not so fast")],
]);

/** What an error says to people when nothing more is known. */
export function textOfError(error: ReplyError): Buffer {
  return TEXTS.get(error) ?? OTHERWISE;
}
