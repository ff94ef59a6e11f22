import type { ExportInfo, NbdExport } from "./export.ts";
import type { MetaContext } from "./meta-context.ts";
import {
  EXPORT_NAME_PADDING_BYTES,
  HandshakeFlag,
  Info,
  NBD_MAGIC,
  OPTION_MAGIC,
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC,
  STRING_BYTES_MAX,
  writeUint64,
} from "./wire.ts";

const NO_DATA = Buffer.alloc(0);

/** The first words of a server. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeUInt32BE(NBD_MAGIC[0], 0);
  bytes.writeUInt32BE(NBD_MAGIC[1], 4);
  bytes.writeUInt32BE(OPTION_MAGIC[0], 8);
  bytes.writeUInt32BE(OPTION_MAGIC[1], 12);
  bytes.writeUInt16BE(HandshakeFlag.FixedNewstyle | HandshakeFlag.NoZeroes, 16);
  return bytes;
}

export function optionReply(option: number, type: number, data: Uint8Array = NO_DATA): Buffer {
  const bytes = Buffer.alloc(OPTION_REPLY_HEADER_BYTES + data.length);
  bytes.writeUInt32BE(OPTION_REPLY_MAGIC[0], 0);
  bytes.writeUInt32BE(OPTION_REPLY_MAGIC[1], 4);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  bytes.writeUInt32BE(data.length, 16);
  bytes.set(data, OPTION_REPLY_HEADER_BYTES);
  return bytes;
}

/** A text for people, cut to what the protocol allows, and never inside a character. */
export function replyText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= STRING_BYTES_MAX) return bytes;
  let end = STRING_BYTES_MAX;
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** One line of the answer to LIST. */
export function listItem(entry: NbdExport): Buffer {
  const name = Buffer.from(entry.name);
  const description = Buffer.from(entry.description ?? "");
  const bytes = Buffer.alloc(4 + name.length + description.length);
  bytes.writeUInt32BE(name.length, 0);
  bytes.set(name, 4);
  bytes.set(description, 4 + name.length);
  return bytes;
}

/** One line of the answer to the options on metadata contexts. */
export function metaContextItem({ id, name }: MetaContext): Buffer {
  const bytes = Buffer.alloc(4 + name.length);
  bytes.writeUInt32BE(id, 0);
  bytes.write(name, 4);
  return bytes;
}

export function infoExport({ sizeBytes, flags }: ExportInfo): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(Info.Export, 0);
  writeUint64(bytes, 2, sizeBytes);
  bytes.writeUInt16BE(flags, 10);
  return bytes;
}

export function infoText(kind: number, text: string): Buffer {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(text));
  bytes.writeUInt16BE(kind, 0);
  bytes.write(text, 2);
  return bytes;
}

export function infoBlockSize(info: ExportInfo): Buffer {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE(Info.BlockSize, 0);
  bytes.writeUInt32BE(info.blockBytesMin, 2);
  bytes.writeUInt32BE(info.blockBytesPreferred, 6);
  bytes.writeUInt32BE(info.blockBytesMax, 10);
  return bytes;
}

/** The whole answer to EXPORT_NAME, the one option without a reply header. */
export function exportNameAnswer({ sizeBytes, flags }: ExportInfo, noZeroes: boolean): Buffer {
  const bytes = Buffer.alloc(10 + (noZeroes ? 0 : EXPORT_NAME_PADDING_BYTES));
  writeUint64(bytes, 0, sizeBytes);
  bytes.writeUInt16BE(flags, 8);
  return bytes;
}
