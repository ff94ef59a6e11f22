import type { Bytes } from "@blkstack/bio";
import type { ByteStream, ServerAddress } from "./byte-stream.ts";
import type { ClientTls } from "./client-tls.ts";
import { NbdError, protocolError } from "./client-error.ts";
import {
  EXPORT_NAME_PADDING_BYTES,
  HandshakeFlag,
  Info,
  NBD_MAGIC,
  Option,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC,
  OptionReply,
  readUint64,
  STRING_BYTES_MAX,
} from "./wire.ts";

/** What a server told of an export. */
export interface RemoteExport {
  readonly sizeBytes: Bytes;
  /** Bits of the transmission flags, as they came. */
  readonly flags: number;
  /** What requests should keep to; null: nobody asked, or the server does not say. */
  readonly blockSize: BlockSize | null;
}

/** Powers of two, but for the last. */
interface BlockSize {
  readonly minBytes: Bytes;
  readonly preferredBytes: Bytes;
  /** The longest payload. */
  readonly maxBytes: Bytes;
}

export interface ListedExport {
  readonly name: string;
  readonly description: string;
}

interface Reply {
  readonly type: number;
  readonly data: Buffer;
}

/** No reply to an option that we send is longer: two texts and a little. */
const REPLY_BYTES_MAX = 4 + 2 * STRING_BYTES_MAX;
/** More than this is no list for people. */
const EXPORTS_MAX = 10_000;
/** Kinds of information that a server may add; no end of them is a way to keep a client busy. */
const INFOS_MAX = 100;

const ERROR_BIT = 0x8000_0000;

/** Takes the greeting and answers it. Answers the flags in force. */
async function greet(stream: ByteStream): Promise<number> {
  const greeting = await stream.take(18);
  if (!startsWith(greeting, 0, NBD_MAGIC)) throw protocolError("this is no NBD server");
  if (!startsWith(greeting, 8, OPTION_MAGIC)) {
    throw protocolError("the server speaks an NBD of before 2007");
  }
  const known = HandshakeFlag.FixedNewstyle | HandshakeFlag.NoZeroes;
  const flags = greeting.readUInt16BE(16) & known;
  const answer = Buffer.alloc(4);
  answer.writeUInt32BE(flags);
  stream.send(answer);
  return flags;
}

/** The greeting, and TLS if the address says so. Answers the flags in force. */
export async function greetAt(address: ServerAddress, stream: ByteStream): Promise<number> {
  const flags = await greet(stream);
  const host = "unix" in address ? "localhost" : address.host;
  if (address.tls !== undefined) await secure(stream, flags, address.tls, host);
  return flags;
}

/** Asks for headers with 64-bit lengths. Answers whether the server agrees. */
export async function extendHeaders(stream: ByteStream, flags: number): Promise<boolean> {
  if ((flags & HandshakeFlag.FixedNewstyle) === 0) return false;
  sendOption(stream, Option.ExtendedHeaders, Buffer.alloc(0));
  const { type } = await takeReply(stream, Option.ExtendedHeaders);
  if (type === OptionReply.Ack) return true;
  if (type >= ERROR_BIT) return false;
  throw protocolError("an odd answer to EXTENDED_HEADERS");
}

/** Asks for replies in chunks. Answers whether the server agrees. */
export async function structureReplies(stream: ByteStream, flags: number): Promise<boolean> {
  if ((flags & HandshakeFlag.FixedNewstyle) === 0) return false;
  sendOption(stream, Option.StructuredReply, Buffer.alloc(0));
  const { type } = await takeReply(stream, Option.StructuredReply);
  if (type === OptionReply.Ack) return true;
  if (type >= ERROR_BIT) return false;
  throw protocolError("an odd answer to STRUCTURED_REPLY");
}

/**
 * Asks for a metadata context of an export; replies come in chunks already. Answers what the server
 * calls it; null: it has none of that name.
 */
export async function chooseContext(
  stream: ByteStream,
  exportName: string,
  context: string,
): Promise<number | null> {
  const [name, query] = [Buffer.from(exportName), Buffer.from(context)];
  const data = Buffer.alloc(4 + name.length + 4 + 4 + query.length);
  let at = data.writeUInt32BE(name.length, 0);
  at += name.copy(data, at);
  at = data.writeUInt32BE(1, at);
  at = data.writeUInt32BE(query.length, at);
  query.copy(data, at);
  sendOption(stream, Option.SetMetaContext, data);
  let id: number | null = null;
  for (;;) {
    const { type, data: reply } = await takeReply(stream, Option.SetMetaContext);
    if (type === OptionReply.Ack) return id;
    if (type >= ERROR_BIT) return null;
    const isOurs = type === OptionReply.MetaContext && reply.length >= 4 && id === null;
    if (!isOurs || reply.toString("utf8", 4) !== context) throw protocolError("an odd context");
    id = reply.readUInt32BE(0);
  }
}

/** Asks for TLS, and goes on in it. A server that does not have it is not spoken to in clear. */
async function secure(
  stream: ByteStream,
  flags: number,
  tls: ClientTls,
  host: string,
): Promise<void> {
  if ((flags & HandshakeFlag.FixedNewstyle) === 0) {
    throw new NbdError("NBD_TLS", "the server is too old to know of TLS");
  }
  sendOption(stream, Option.StartTls, Buffer.alloc(0));
  const { type, data } = await takeReply(stream, Option.StartTls);
  if (type !== OptionReply.Ack) {
    const why = data.length > 0 ? `: ${data.toString()}` : "";
    throw new NbdError("NBD_TLS", `the server does not speak TLS${why}`);
  }
  await stream.startTls(tls, host);
}

/**
 * Chooses an export: by GO, or by EXPORT_NAME from a server that knows no GO. Who keeps block sizes asks
 * for them, and must then keep to them.
 */
export async function choose(
  stream: ByteStream,
  flags: number,
  name: string,
  keepsBlockSize = false,
): Promise<RemoteExport> {
  if ((flags & HandshakeFlag.FixedNewstyle) === 0) return chooseByName(stream, flags, name);
  sendOption(stream, Option.Go, goQuery(name, keepsBlockSize ? [Info.BlockSize] : []));
  let described: RemoteExport | null = null;
  let blockSize: BlockSize | null = null;
  for (let count = 0; count < INFOS_MAX; count += 1) {
    const { type, data } = await takeReply(stream, Option.Go);
    if (type === OptionReply.ErrUnsupported) return chooseByName(stream, flags, name);
    if (type >= ERROR_BIT) throw refusal(name, type, data);
    if (type === OptionReply.Ack) {
      if (described === null) throw protocolError("the server began without telling the size");
      return keepsBlockSize ? { ...described, blockSize } : described;
    }
    if (type !== OptionReply.Info || data.length < 2) throw protocolError("an odd answer to GO");
    if (data.readUInt16BE(0) === Info.Export) {
      if (data.length !== 12) throw protocolError("an export described in too many or few bytes");
      described = remoteExport(data, 2);
    } else if (data.readUInt16BE(0) === Info.BlockSize) blockSize = blockSizeOf(data);
  }
  throw protocolError("the server does not stop informing");
}

/** Waits: until the server has told all of its exports. */
export async function listExports(stream: ByteStream): Promise<ListedExport[]> {
  sendOption(stream, Option.List, Buffer.alloc(0));
  const listed: ListedExport[] = [];
  for (;;) {
    const { type, data } = await takeReply(stream, Option.List);
    if (type === OptionReply.Ack) return listed;
    if (type >= ERROR_BIT) throw refusal("", type, data);
    if (type !== OptionReply.Server || data.length < 4) throw protocolError("an odd list");
    const nameEnd = 4 + data.readUInt32BE(0);
    if (nameEnd > data.length) throw protocolError("a name longer than its message");
    if (listed.length === EXPORTS_MAX) throw protocolError("a list of more exports than 10000");
    listed.push({
      name: data.toString("utf8", 4, nameEnd),
      description: data.toString("utf8", nameEnd),
    });
  }
}

/** Says goodbye before an export was chosen. */
export function abort(stream: ByteStream): void {
  sendOption(stream, Option.Abort, Buffer.alloc(0));
}

async function chooseByName(
  stream: ByteStream,
  flags: number,
  name: string,
): Promise<RemoteExport> {
  sendOption(stream, Option.ExportName, Buffer.from(name));
  const padding = (flags & HandshakeFlag.NoZeroes) === 0 ? EXPORT_NAME_PADDING_BYTES : 0;
  return remoteExport(await stream.take(10 + padding), 0);
}

function sendOption(stream: ByteStream, option: number, data: Buffer): void {
  const header = Buffer.alloc(OPTION_HEADER_BYTES);
  header.writeUInt32BE(OPTION_MAGIC[0], 0);
  header.writeUInt32BE(OPTION_MAGIC[1], 4);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(data.length, 12);
  stream.send(header, data);
}

async function takeReply(stream: ByteStream, option: number): Promise<Reply> {
  const head = await stream.take(OPTION_REPLY_HEADER_BYTES);
  const length = head.readUInt32BE(16);
  if (!startsWith(head, 0, OPTION_REPLY_MAGIC)) throw protocolError("an answer without its magic");
  if (head.readUInt32BE(8) !== option) throw protocolError("an answer to another option");
  if (length > REPLY_BYTES_MAX) throw protocolError(`an answer of ${String(length)} bytes`);
  return { type: head.readUInt32BE(12), data: await stream.take(length) };
}

function goQuery(name: string, infos: readonly number[]): Buffer {
  const bytes = Buffer.from(name);
  const infosAt = 4 + bytes.length + 2;
  const query = Buffer.alloc(infosAt + 2 * infos.length);
  query.writeUInt32BE(bytes.length, 0);
  query.set(bytes, 4);
  query.writeUInt16BE(infos.length, infosAt - 2);
  for (const [index, info] of infos.entries()) query.writeUInt16BE(info, infosAt + 2 * index);
  return query;
}

function blockSizeOf(data: Buffer): BlockSize {
  if (data.length !== 14) throw protocolError("block sizes in too many or few bytes");
  const minBytes = data.readUInt32BE(2);
  const preferredBytes = data.readUInt32BE(6);
  const maxBytes = data.readUInt32BE(10);
  const isSound =
    isPowerOfTwo(minBytes) &&
    isPowerOfTwo(preferredBytes) &&
    minBytes <= preferredBytes &&
    preferredBytes <= maxBytes;
  if (!isSound) {
    throw protocolError(`odd block sizes: ${[minBytes, preferredBytes, maxBytes].join(", ")}`);
  }
  return { minBytes, preferredBytes, maxBytes };
}

function isPowerOfTwo(value: number): boolean {
  return value >= 1 && Number.isInteger(Math.log2(value));
}

function remoteExport(data: Buffer, at: number): RemoteExport {
  const sizeBytes = readUint64(data, at);
  if (!Number.isSafeInteger(sizeBytes)) throw protocolError("an export of more than 2^53 bytes");
  return { sizeBytes, flags: data.readUInt16BE(at + 8), blockSize: null };
}

function refusal(name: string, type: number, text: Buffer): NbdError {
  const why = text.length > 0 ? text.toString() : `error ${(type - ERROR_BIT).toString()}`;
  return new NbdError("NBD_REFUSED", `the server refuses "${name}": ${why}`);
}

function startsWith(bytes: Buffer, at: number, magic: readonly [number, number]): boolean {
  return bytes.readUInt32BE(at) === magic[0] && bytes.readUInt32BE(at + 4) === magic[1];
}
