import type { Bytes } from "@blkstack/bio";
import { ByteStream, type ServerAddress } from "./byte-stream.ts";
import { NbdError, protocolError } from "./client-error.ts";
import {
  abort,
  choose,
  greet,
  type ListedExport,
  listExports,
  type RemoteExport,
} from "./client-handshake.ts";
import {
  Command,
  CommandFlag,
  REQUEST_BYTES,
  REQUEST_MAGIC,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  writeUint64,
} from "./wire.ts";

export interface ChangeOptions {
  /** Answer only when the change is durable. */
  readonly fua?: boolean;
}

export interface ZeroOptions extends ChangeOptions {
  /** The range must keep its space. */
  readonly noHole?: boolean;
}

/** No server has to serve more at once. */
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);

interface Pending {
  readonly command: number;
  readonly lengthBytes: Bytes;
  readonly resolve: (data: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to one export of an NBD server. Requests may be made while others are under way;
 * they are answered in any order.
 *
 * Every call throws NbdError: `NBD_REPLY` for the server's error, `NBD_CLOSED` or `NBD_PROTOCOL`
 * when the connection is lost.
 */
export class NbdClient {
  readonly sizeBytes: Bytes;
  /** The transmission flags of the protocol. */
  readonly flags: number;
  readonly #stream: ByteStream;
  readonly #pending = new Map<number, Pending>();
  #lastCookie = 0;
  #end: Error | null = null;
  #onQuiet: () => void = () => undefined;

  private constructor(stream: ByteStream, { sizeBytes, flags }: RemoteExport) {
    this.#stream = stream;
    this.sizeBytes = sizeBytes;
    this.flags = flags;
    void this.#takeReplies();
  }

  /** Connects to an export. Waits: until the server serves it. */
  static async connect(address: ServerAddress, exportName = ""): Promise<NbdClient> {
    return withStream(address, async (stream) => {
      const flags = await greet(stream);
      return new NbdClient(stream, await choose(stream, flags, exportName));
    });
  }

  /** Asks a server for its exports. Waits: until it has told them. */
  static async list(address: ServerAddress): Promise<readonly ListedExport[]> {
    return withStream(address, async (stream) => {
      await greet(stream);
      const listed = await listExports(stream);
      abort(stream);
      await stream.close();
      return listed;
    });
  }

  /** Reads up to 32 MiB. Waits: for the server. */
  async read(offsetBytes: Bytes, lengthBytes: Bytes): Promise<Uint8Array> {
    checkLength(lengthBytes);
    return this.#ask({ command: Command.Read, flags: 0, offsetBytes, lengthBytes });
  }

  /** Writes up to 32 MiB; `data` must not change before the answer. Waits: for the server. */
  async write(offsetBytes: Bytes, data: Uint8Array, options: ChangeOptions = {}): Promise<void> {
    checkLength(data.length);
    const flags = flagsOf(options);
    const fields = { command: Command.Write, flags, offsetBytes, lengthBytes: data.length };
    await this.#ask(fields, data);
  }

  /** Makes all writes durable that were answered before. Waits: for the server. */
  async flush(): Promise<void> {
    await this.#ask({ command: Command.Flush, flags: 0, offsetBytes: 0, lengthBytes: 0 });
  }

  /** Gives up a range of less than 4 GiB, which then reads as anything. Waits: for the server. */
  async trim(offsetBytes: Bytes, lengthBytes: Bytes, options: ChangeOptions = {}): Promise<void> {
    await this.#ask({ command: Command.Trim, flags: flagsOf(options), offsetBytes, lengthBytes });
  }

  /** Makes a range of less than 4 GiB read as zeroes. Waits: for the server. */
  async writeZeroes(
    offsetBytes: Bytes,
    lengthBytes: Bytes,
    options: ZeroOptions = {},
  ): Promise<void> {
    const flags = flagsOf(options) | (options.noHole === true ? CommandFlag.NoHole : 0);
    await this.#ask({ command: Command.WriteZeroes, flags, offsetBytes, lengthBytes });
  }

  /** Says goodbye. Waits: until all requests are answered and the connection is closed. */
  async close(): Promise<void> {
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    if (this.#end !== null) return;
    this.#end = new NbdError("NBD_CLOSED", "this client is closed");
    this.#stream.send(header(0, { command: Command.Disconnect, flags: 0, ...NOWHERE }));
    await this.#stream.close();
  }

  #ask(fields: RequestFields, payload: Uint8Array = NO_BYTES): Promise<Buffer> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#lastCookie += 1;
    const cookie = this.#lastCookie;
    const head = header(cookie, fields);
    return new Promise((resolve, reject) => {
      const { command, lengthBytes } = fields;
      this.#pending.set(cookie, { command, lengthBytes, resolve, reject });
      if (payload.length > 0) this.#stream.send(head, payload);
      else this.#stream.send(head);
    });
  }

  async #takeReplies(): Promise<void> {
    try {
      for (;;) await this.#takeReply();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #takeReply(): Promise<void> {
    const head = await this.#stream.take(SIMPLE_REPLY_BYTES);
    if (head.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC) throw protocolError("a reply without magic");
    const errno = head.readUInt32BE(4);
    const cookie = head.readUInt32BE(8) * 0x1_0000_0000 + head.readUInt32BE(12);
    const pending = this.#pending.get(cookie);
    if (pending === undefined) throw protocolError("a reply to a request that was not made");
    const isData = errno === 0 && pending.command === Command.Read && pending.lengthBytes > 0;
    const data = isData ? await this.#stream.take(pending.lengthBytes) : Buffer.alloc(0);
    this.#pending.delete(cookie);
    if (errno === 0) pending.resolve(data);
    else
      pending.reject(new NbdError("NBD_REPLY", `the server answers error ${String(errno)}`, errno));
    if (this.#pending.size === 0) this.#onQuiet();
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#stream.destroy();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#onQuiet();
  }
}

interface RequestFields {
  readonly command: number;
  readonly flags: number;
  readonly offsetBytes: Bytes;
  readonly lengthBytes: Bytes;
}

const NOWHERE = { offsetBytes: 0, lengthBytes: 0 };

function header(cookie: number, fields: RequestFields): Buffer {
  const { offsetBytes, lengthBytes } = fields;
  const isRange = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0;
  if (!isRange || !Number.isInteger(lengthBytes) || lengthBytes < 0 || lengthBytes > 0xffff_ffff) {
    throw new RangeError(`no range: ${String(lengthBytes)} bytes at ${String(offsetBytes)}`);
  }
  const bytes = Buffer.alloc(REQUEST_BYTES);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(fields.flags, 4);
  bytes.writeUInt16BE(fields.command, 6);
  writeUint64(bytes, 8, cookie);
  writeUint64(bytes, 16, offsetBytes);
  bytes.writeUInt32BE(lengthBytes, 24);
  return bytes;
}

function flagsOf({ fua }: ChangeOptions): number {
  return fua === true ? CommandFlag.Fua : 0;
}

function checkLength(lengthBytes: Bytes): void {
  if (lengthBytes <= REQUEST_BYTES_MAX) return;
  throw new RangeError(`${String(lengthBytes)} bytes are too many for one request`);
}

/** The connection does not outlive a failure. */
async function withStream<T>(
  address: ServerAddress,
  use: (stream: ByteStream) => Promise<T>,
): Promise<T> {
  const stream = await ByteStream.connect(address);
  try {
    return await use(stream);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
