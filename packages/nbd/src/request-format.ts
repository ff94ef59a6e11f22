import type { Bytes } from "@blkstack/bio";
import type { Request } from "./request.ts";
import {
  Command,
  CommandFlag,
  EXTENDED_HEADER_BYTES,
  EXTENDED_REQUEST_MAGIC,
  readUint64,
  REQUEST_BYTES,
  REQUEST_MAGIC,
} from "./wire.ts";

/** How requests lie in what a client sends. */
export interface RequestFormat {
  readonly headerBytes: Bytes;
  /** Reads the header at `at`. Answers false when it has another magic. */
  decode(bytes: Buffer, at: number, into: Request): boolean;
}

/** Lengths of 32 bits. */
export const compactRequests: RequestFormat = {
  headerBytes: REQUEST_BYTES,
  decode(bytes, at, into) {
    if (bytes.readUInt32BE(at) !== REQUEST_MAGIC) return false;
    decodeCommon(bytes, at, into);
    into.lengthBytes = bytes.readUInt32BE(at + 24);
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
  decode(bytes, at, into) {
    if (bytes.readUInt32BE(at) !== EXTENDED_REQUEST_MAGIC) return false;
    decodeCommon(bytes, at, into);
    into.offsetHigh = bytes.readInt32BE(at + 16);
    into.offsetLow = bytes.readInt32BE(at + 20);
    const length = readUint64(bytes, at + 24);
    const hasPayload = (into.flags & CommandFlag.PayloadLength) !== 0;
    into.payloadBytes = hasPayload ? length : 0;
    into.lengthBytes = hasPayload && into.command !== Command.Write ? 0 : length;
    return true;
  },
};

function decodeCommon(bytes: Buffer, at: number, into: Request): void {
  into.flags = bytes.readUInt16BE(at + 4);
  into.command = bytes.readUInt16BE(at + 6);
  into.cookieHigh = bytes.readInt32BE(at + 8);
  into.cookieLow = bytes.readInt32BE(at + 12);
  into.offsetBytes = readUint64(bytes, at + 16);
}
