import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

export interface RawReply {
  readonly error: number;
  readonly cookie: bigint;
}

/** A piece of a structured reply. */
export interface RawChunk {
  readonly isDone: boolean;
  readonly type: number;
  readonly cookie: bigint;
  readonly body: Buffer;
}

/** A piece of a reply with extended headers. */
export interface RawExtendedChunk extends RawChunk {
  readonly offset: bigint;
}

/** Speaks NBD byte by byte, right or wrong as the test says. */
export class RawClient {
  #socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #isEnded = false;
  #notify: () => void = () => undefined;

  constructor(path: string) {
    this.#socket = connect({ path, allowHalfOpen: true });
    this.#follow(this.#socket);
  }

  #follow(socket: Socket): void {
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
      this.#notify();
    });
    const ended = (): void => {
      this.#isEnded = true;
      this.#notify();
    };
    socket.on("end", ended);
    socket.on("close", ended);
    socket.on("error", ended);
  }

  send(...pieces: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(pieces));
  }

  /** The next bytes; throws when the server closes before. */
  async take(length: number): Promise<Buffer> {
    while (this.#receivedBytes < length) {
      if (this.#isEnded) throw new Error(`closed after ${String(this.#receivedBytes)} bytes`);
      await this.#more();
    }
    const all = Buffer.concat(this.#received);
    this.#received = [all.subarray(length)];
    this.#receivedBytes -= length;
    return all.subarray(0, length);
  }

  /** Everything until the server closes. */
  async takeAll(): Promise<Buffer> {
    while (!this.#isEnded) await this.#more();
    return this.take(this.#receivedBytes);
  }

  /** Reads nothing more. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  halfClose(): void {
    this.#socket.end();
  }

  vanish(): void {
    this.#socket.destroy();
  }

  /** The greeting and the client's flags. */
  async greet(flags = 3): Promise<Buffer> {
    const greeting = await this.take(18);
    this.send(u32(flags));
    return greeting;
  }

  /** Asks for TLS and begins with it; throws when it comes to nothing. */
  async startTls(options: ConnectionOptions): Promise<TLSSocket> {
    this.send(option(5));
    const { type } = await this.optionReply();
    if (type !== 1) throw new Error(`STARTTLS was answered with ${type.toString(16)}`);
    const plain = this.#socket;
    plain.removeAllListeners("data").pause();
    const secured = connectTls({ ...options, socket: plain });
    await once(secured, "secureConnect");
    this.#socket = secured;
    this.#follow(secured);
    return secured;
  }

  async optionReply(): Promise<{ option: number; type: number; data: Buffer }> {
    const head = await this.take(20);
    if (head.readBigUInt64BE(0) !== 0x3e889045565a9n) throw new Error("no option reply");
    const data = await this.take(head.readUInt32BE(16));
    return { option: head.readUInt32BE(8), type: head.readUInt32BE(12), data };
  }

  /** Chooses an export by GO; answers its size and flags. */
  async go(name = ""): Promise<{ size: number; flags: number }> {
    await this.greet();
    return this.#go(name);
  }

  /** The same after other options, each of which must be acknowledged. */
  async goAfter(options: readonly Buffer[], name = ""): Promise<{ size: number; flags: number }> {
    await this.greet();
    for (const each of options) {
      this.send(each);
      while ((await this.optionReply()).type !== 1);
    }
    return this.#go(name);
  }

  async reply(): Promise<RawReply> {
    const head = await this.take(16);
    if (head.readUInt32BE(0) !== 0x67446698) throw new Error("no simple reply");
    return { error: head.readUInt32BE(4), cookie: head.readBigUInt64BE(8) };
  }

  async chunk(): Promise<RawChunk> {
    const head = await this.take(20);
    if (head.readUInt32BE(0) !== 0x668e33ef) throw new Error("no chunk of a structured reply");
    return {
      isDone: head.readUInt16BE(4) === 1,
      type: head.readUInt16BE(6),
      cookie: head.readBigUInt64BE(8),
      body: await this.take(head.readUInt32BE(16)),
    };
  }

  async extendedChunk(): Promise<RawExtendedChunk> {
    const head = await this.take(32);
    if (head.readUInt32BE(0) !== 0x6e8a278c) throw new Error("no chunk with an extended header");
    return {
      isDone: head.readUInt16BE(4) === 1,
      type: head.readUInt16BE(6),
      cookie: head.readBigUInt64BE(8),
      offset: head.readBigUInt64BE(16),
      body: await this.take(Number(head.readBigUInt64BE(24))),
    };
  }

  async #go(name: string): Promise<{ size: number; flags: number }> {
    this.send(option(7, query(name)));
    const { type, data } = await this.optionReply();
    if (type !== 3) throw new Error(`GO was answered with ${type.toString(16)}`);
    await this.optionReply();
    return { size: Number(data.readBigUInt64BE(2)), flags: data.readUInt16BE(10) };
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#notify = resolve;
    });
  }
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function option(code: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from("IHAVEOPT"), u32(code), u32(data.length), data]);
}

/** What GO and INFO send: a name, and which information is wanted. */
export function query(name: string, kinds: readonly number[] = []): Buffer {
  const bytes = Buffer.from(name);
  return Buffer.concat([u32(bytes.length), bytes, u16(kinds.length), ...kinds.map(u16)]);
}

/** What options on metadata send: an export, and the names of contexts. */
export function metaQuery(name: string, ...queries: string[]): Buffer {
  const text = (each: string): Buffer => {
    const bytes = Buffer.from(each);
    return Buffer.concat([u32(bytes.length), bytes]);
  };
  return Buffer.concat([text(name), u32(queries.length), ...queries.map(text)]);
}

export interface RawRequest {
  readonly magic?: number;
  readonly flags?: number;
  readonly command: number;
  readonly cookie?: bigint;
  readonly offset?: bigint | number;
  readonly length?: bigint | number;
}

export function request(fields: RawRequest): Buffer {
  const length = u32(Number(fields.length ?? 0));
  return Buffer.concat([header(fields, 0x25609513), length]);
}

/** The same with an extended header; `flags` say whether the length is a payload's. */
export function extendedRequest(fields: RawRequest): Buffer {
  return Buffer.concat([header(fields, 0x21e41c71), u64(fields.length ?? 0)]);
}

/** Both headers are the same up to the length. */
function header(fields: RawRequest, magic: number): Buffer {
  const { flags = 0, command, cookie = 1n, offset = 0 } = fields;
  return Buffer.concat([
    u32(fields.magic ?? magic),
    u16(flags),
    u16(command),
    u64(cookie),
    u64(offset),
  ]);
}
