import type { Bytes } from "@blkstack/bio";
import {
  Command,
  CommandFlag,
  EXTENDED_HEADER_BYTES,
  EXTENDED_REQUEST_MAGIC,
  REQUEST_BYTES,
  REQUEST_MAGIC,
  writeUint64,
} from "./wire.ts";

/** What a client asks for. */
export interface RequestFields {
  readonly command: number;
  readonly flags: number;
  readonly offsetBytes: Bytes;
  readonly lengthBytes: Bytes;
}

const COMPACT_LENGTH_MAX = 0xffff_ffff;

/** The header of a request as it travels. Throws RangeError for a range that it has no room for. */
export function requestHeader(cookie: number, fields: RequestFields, isExtended: boolean): Buffer {
  const bytes = Buffer.alloc(isExtended ? EXTENDED_HEADER_BYTES : REQUEST_BYTES);
  writeRequestHeader(bytes, cookie, fields, isExtended);
  return bytes;
}

/** The same, into memory that has room for it. */
export function writeRequestHeader(
  bytes: Buffer,
  cookie: number,
  fields: RequestFields,
  isExtended: boolean,
): void {
  const { command, offsetBytes, lengthBytes } = fields;
  const lengthMax = isExtended ? Number.MAX_SAFE_INTEGER : COMPACT_LENGTH_MAX;
  if (!isWhole(offsetBytes) || !isWhole(lengthBytes) || lengthBytes > lengthMax) {
    throw new RangeError(`no range: ${String(lengthBytes)} bytes at ${String(offsetBytes)}`);
  }
  const hasPayload = isExtended && command === Command.Write;
  bytes.writeUInt32BE(isExtended ? EXTENDED_REQUEST_MAGIC : REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(fields.flags | (hasPayload ? CommandFlag.PayloadLength : 0), 4);
  bytes.writeUInt16BE(command, 6);
  writeUint64(bytes, 8, cookie);
  writeUint64(bytes, 16, offsetBytes);
  if (isExtended) writeUint64(bytes, 24, lengthBytes);
  else bytes.writeUInt32BE(lengthBytes, 24);
}

function isWhole(bytes: Bytes): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}
