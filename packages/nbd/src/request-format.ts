import type { Bytes } from "@blkstack/bio";
import type { Request } from "./request.ts";
import {
  Command,
  CommandFlag,
  EXTENDED_HEADER_BYTES,
  EXTENDED_REQUEST_MAGIC,
  getUint64,
  REQUEST_BYTES,
  REQUEST_MAGIC,
} from "./wire.ts";

/** How requests lie in what a client sends. */
export interface RequestFormat {
  readonly headerBytes: Bytes;
  /** Reads the header at `at`. Answers false when it has another magic. */
  decode(view: DataView, at: number, into: Request): boolean;
}

/** Lengths of 32 bits. */
export const compactRequests: RequestFormat = {
  headerBytes: REQUEST_BYTES,
  decode(view, at, into) {
    if (view.getUint32(at) !== REQUEST_MAGIC) return false;
    decodeCommon(view, at, into);
    into.lengthBytes = view.getUint32(at + 24);
    into.payloadBytes = into.command === Command.Write ? into.lengthBytes : 0;
    return true;
  },
};

/**
 * Lengths of 64 bits, and a flag that says whether they are what the request is about or what
 * follows it. A write without the flag brings nothing, whatever it meant to.
 */
export const extendedRequests: RequestFormat = {
  headerBytes: EXTENDED_HEADER_BYTES,
  decode(view, at, into) {
    if (view.getUint32(at) !== EXTENDED_REQUEST_MAGIC) return false;
    decodeCommon(view, at, into);
    into.offsetHigh = view.getInt32(at + 16);
    into.offsetLow = view.getInt32(at + 20);
    const length = getUint64(view, at + 24);
    const hasPayload = (into.flags & CommandFlag.PayloadLength) !== 0;
    into.payloadBytes = hasPayload ? length : 0;
    into.lengthBytes = hasPayload && into.command !== Command.Write ? 0 : length;
    return true;
  },
};

function decodeCommon(view: DataView, at: number, into: Request): void {
  into.flags = view.getUint16(at + 4);
  into.command = view.getUint16(at + 6);
  into.cookieHigh = view.getInt32(at + 8);
  into.cookieLow = view.getInt32(at + 12);
  into.offsetBytes = getUint64(view, at + 16);
}
