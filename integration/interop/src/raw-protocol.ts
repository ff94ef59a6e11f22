import { RawClient } from "./raw-client.ts";

export const Option = {
  ExportName: 1,
  Abort: 2,
  List: 3,
  StartTls: 5,
  Info: 6,
  Go: 7,
  StructuredReply: 8,
  ListMetaContext: 9,
  SetMetaContext: 10,
  ExtendedHeaders: 11,
} as const;

export const OptionReply = {
  Ack: 1,
  Server: 2,
  Info: 3,
  MetaContext: 4,
  Unsupported: 0x8000_0001,
  Policy: 0x8000_0002,
  Invalid: 0x8000_0003,
  TlsRequired: 0x8000_0005,
  Unknown: 0x8000_0006,
  TooBig: 0x8000_0009,
} as const;

export const Command = {
  Read: 0,
  Write: 1,
  Disconnect: 2,
  Flush: 3,
  Trim: 4,
  WriteZeroes: 6,
  BlockStatus: 7,
} as const;
export const Errno = { Ok: 0, Perm: 1, Inval: 22, NoSpace: 28 } as const;
export const FLAG_FUA = 1;

const OPTION_MAGIC = 0x4948_4156_454f_5054n;
const OPTION_REPLY_MAGIC = 0x0003_e889_0455_65a9n;
const REQUEST_MAGIC = 0x2560_9513;
const SIMPLE_REPLY_MAGIC = 0x6744_6698;

export function bytes32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An option; `declaredBytes` when it shall lie about its length. */
export function option(
  kind: number,
  data: Uint8Array = Buffer.alloc(0),
  declaredBytes?: number,
): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(OPTION_MAGIC);
  head.writeUInt32BE(kind, 8);
  head.writeUInt32BE(declaredBytes ?? data.length, 12);
  return Buffer.concat([head, data]);
}

/** The data of INFO and GO. */
export function goData(name: string, requests: readonly number[] = []): Buffer {
  const parts = [bytes32(Buffer.byteLength(name)), Buffer.from(name), Buffer.alloc(2)];
  parts[2]?.writeUInt16BE(requests.length);
  for (const request of requests) {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(request);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

interface OptionAnswer {
  readonly option: number;
  readonly type: number;
  readonly data: Buffer;
}

async function readOptionReply(client: RawClient): Promise<OptionAnswer> {
  const head = await client.read(20);
  if (head.readBigUInt64BE() !== OPTION_REPLY_MAGIC) throw new Error("no option reply");
  const data = Buffer.from(await client.read(head.readUInt32BE(16)));
  return { option: head.readUInt32BE(8), type: head.readUInt32BE(12), data };
}

/** Reads replies to one option, with the one that ends it, which is an ACK or an error. */
export async function readOptionReplies(client: RawClient): Promise<OptionAnswer[]> {
  const replies: OptionAnswer[] = [];
  for (;;) {
    const reply = await readOptionReply(client);
    replies.push(reply);
    if (reply.type === OptionReply.Ack || reply.type >= 0x8000_0000) return replies;
  }
}

/** Reads replies to one option and answers the one that ends it. */
export async function readOptionEnd(client: RawClient): Promise<OptionAnswer> {
  const end = (await readOptionReplies(client)).at(-1);
  if (end === undefined) throw new Error("no option reply");
  return end;
}

/** Connects, reads the greeting and answers it: fixed newstyle, and no padding of zeroes. */
export async function greet(path: string, clientFlags = 3): Promise<RawClient> {
  const client = await RawClient.open(path);
  const greeting = await client.read(18);
  if (greeting.subarray(0, 16).toString("latin1") !== "NBDMAGICIHAVEOPT") {
    throw new Error("not the greeting of an NBD server");
  }
  client.send(bytes32(clientFlags >>> 0));
  return client;
}

/** Connects and chooses an export, so that requests can follow. */
export async function choose(path: string, name: string): Promise<RawClient> {
  const client = await greet(path);
  await agree(client, option(Option.Go, goData(name)));
  return client;
}

/** Sends an option that must be acknowledged. */
export async function agree(client: RawClient, bytes: Uint8Array): Promise<void> {
  client.send(bytes);
  const { option: kind, type, data } = await readOptionEnd(client);
  if (type === OptionReply.Ack) return;
  throw new Error(
    `option ${String(kind)} was refused with ${type.toString(16)}: ${data.toString()}`,
  );
}

export interface Request {
  readonly command: number;
  readonly offset?: number | bigint;
  readonly length?: number;
  readonly flags?: number;
  readonly cookie?: number;
  readonly magic?: number;
}

export function request(of: Request): Buffer {
  const head = Buffer.alloc(28);
  head.writeUInt32BE(of.magic ?? REQUEST_MAGIC);
  head.writeUInt16BE(of.flags ?? 0, 4);
  head.writeUInt16BE(of.command, 6);
  head.writeBigUInt64BE(BigInt(of.cookie ?? 7), 8);
  head.writeBigUInt64BE(BigInt(of.offset ?? 0), 16);
  head.writeUInt32BE(of.length ?? 0, 24);
  return head;
}

export interface Reply {
  readonly errno: number;
  readonly cookie: number;
}

export async function readReply(client: RawClient): Promise<Reply> {
  const head = await client.read(16);
  if (head.readUInt32BE() !== SIMPLE_REPLY_MAGIC) throw new Error("no simple reply");
  return { errno: head.readUInt32BE(4), cookie: Number(head.readBigUInt64BE(8)) };
}

/** Sends one request and answers the errno of its reply; a read that went well is read away. */
export async function ask(client: RawClient, of: Request, payload?: Uint8Array): Promise<number> {
  client.send(request(of), payload ?? Buffer.alloc(0));
  const { errno } = await readReply(client);
  if (of.command === Command.Read && errno === Errno.Ok) await client.read(of.length ?? 0);
  return errno;
}
