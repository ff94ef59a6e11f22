import type { Bytes } from "@blkstack/bio";
import { ByteStream, type ServerAddress } from "./byte-stream.ts";
import { NbdError, protocolError } from "./client-error.ts";
import {
  abort,
  choose,
  chooseContext,
  extendHeaders,
  greetAt,
  type ListedExport,
  listExports,
  type RemoteExport,
  structureReplies,
} from "./client-handshake.ts";
import { ChunkedReply, type ChunkStart, takeChunkStart, takeCompactStart } from "./client-reply.ts";
import { type RequestFields, requestHeader } from "./client-request.ts";
import type { AllocationExtent } from "./client-status.ts";
import { Dialect } from "./dialect.ts";
import { Command, CommandFlag, SIMPLE_REPLY_BYTES, SIMPLE_REPLY_MAGIC } from "./wire.ts";

export interface ConnectOptions {
  /**
   * Ask for headers with 64-bit lengths, so that `trim` and `writeZeroes` take any range. What the
   * server says is `hasExtendedHeaders`.
   */
  readonly extendedHeaders?: boolean;
  /** Ask for `blockStatus`. What the server says is `hasBlockStatus`. */
  readonly blockStatus?: boolean;
  /** Ends the connection, whenever it comes. */
  readonly signal?: AbortSignal;
}

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

/** What BLOCK_STATUS is asked for. */
const ALLOCATION = "base:allocation";

/** What was agreed on before the export was chosen. */
interface Agreed {
  readonly dialect: Dialect;
  /** Of the context for `blockStatus`; null: the server has none. */
  readonly contextId: number | null;
}

interface Pending {
  readonly command: number;
  readonly lengthBytes: Bytes;
  /** What has come of a reply in chunks; null: replies come whole. */
  readonly chunks: ChunkedReply | null;
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
  /** Whether the server speaks of lengths in 64 bits. */
  readonly hasExtendedHeaders: boolean;
  readonly #dialect: Dialect;
  readonly #contextId: number | null;
  readonly #stream: ByteStream;
  readonly #pending = new Map<number, Pending>();
  #lastCookie = 0;
  #end: Error | null = null;
  #onQuiet: () => void = () => undefined;

  private constructor(
    stream: ByteStream,
    { sizeBytes, flags }: RemoteExport,
    { dialect, contextId }: Agreed,
  ) {
    this.#stream = stream;
    this.sizeBytes = sizeBytes;
    this.flags = flags;
    this.hasExtendedHeaders = dialect === Dialect.Extended;
    this.#dialect = dialect;
    this.#contextId = contextId;
    void this.#takeReplies();
  }

  /** Connects to an export. Waits: until the server serves it. */
  static async connect(
    address: ServerAddress,
    exportName = "",
    options: ConnectOptions = {},
  ): Promise<NbdClient> {
    return withStream(address, options.signal, async (stream) => {
      const flags = await greetAt(address, stream);
      const dialect = await agree(stream, flags, options);
      const contextId =
        options.blockStatus === true && dialect !== Dialect.Simple
          ? await chooseContext(stream, exportName, ALLOCATION)
          : null;
      const chosen = await choose(stream, flags, exportName);
      return new NbdClient(stream, chosen, { dialect, contextId });
    });
  }

  /** Asks a server for its exports. Waits: until it has told them. */
  static async list(address: ServerAddress): Promise<readonly ListedExport[]> {
    return withStream(address, undefined, async (stream) => {
      await greetAt(address, stream);
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

  /**
   * Gives up a range, which then reads as anything. Without extended headers it is less than 4 GiB.
   * Waits: for the server.
   */
  async trim(offsetBytes: Bytes, lengthBytes: Bytes, options: ChangeOptions = {}): Promise<void> {
    await this.#ask({ command: Command.Trim, flags: flagsOf(options), offsetBytes, lengthBytes });
  }

  /**
   * Makes a range read as zeroes. Without extended headers it is less than 4 GiB. Waits: for the
   * server.
   */
  async writeZeroes(
    offsetBytes: Bytes,
    lengthBytes: Bytes,
    options: ZeroOptions = {},
  ): Promise<void> {
    const flags = flagsOf(options) | (options.noHole === true ? CommandFlag.NoHole : 0);
    await this.#ask({ command: Command.WriteZeroes, flags, offsetBytes, lengthBytes });
  }

  /** Whether the server tells what it knows of ranges. */
  get hasBlockStatus(): boolean {
    return this.#contextId !== null;
  }

  /**
   * What the server knows of a range, from its beginning, and perhaps not to its end: one extent at
   * least, of which the last may end behind it. Throws RangeError unless `hasBlockStatus`. Waits: for the
   * server.
   */
  async blockStatus(offsetBytes: Bytes, lengthBytes: Bytes): Promise<readonly AllocationExtent[]> {
    const contextId = this.#contextId;
    if (contextId === null)
      throw new RangeError("this server does not tell what it knows of ranges");
    const fields = { command: Command.BlockStatus, flags: 0, offsetBytes, lengthBytes };
    const chunks = new ChunkedReply(fields, contextId);
    await this.#ask(fields, NO_BYTES, chunks);
    return chunks.extents;
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
    const goodbye = { command: Command.Disconnect, flags: 0, ...NOWHERE };
    this.#stream.send(requestHeader(0, goodbye, this.hasExtendedHeaders));
    await this.#stream.close();
  }

  #ask(
    fields: RequestFields,
    payload: Uint8Array = NO_BYTES,
    chunks: ChunkedReply | null = this.#dialect === Dialect.Simple
      ? null
      : new ChunkedReply(fields),
  ): Promise<Buffer> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#lastCookie += 1;
    const cookie = this.#lastCookie;
    const head = requestHeader(cookie, fields, this.hasExtendedHeaders);
    // Servers differ in what they make of an empty range, and there is nothing to ask.
    if (fields.lengthBytes === 0 && fields.command !== Command.Flush) {
      return Promise.resolve(Buffer.alloc(0));
    }
    return new Promise((resolve, reject) => {
      const { command, lengthBytes } = fields;
      this.#pending.set(cookie, { command, lengthBytes, chunks, resolve, reject });
      if (payload.length > 0) this.#stream.send(head, payload);
      else this.#stream.send(head);
    });
  }

  async #takeReplies(): Promise<void> {
    try {
      for (;;) {
        if (this.#dialect === Dialect.Extended) {
          await this.#takeChunk(await takeChunkStart(this.#stream));
        } else await this.#takeReply();
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #takeReply(): Promise<void> {
    const head = await this.#stream.take(SIMPLE_REPLY_BYTES);
    if (head.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC) {
      if (this.#dialect === Dialect.Simple) throw protocolError("a reply without magic");
      await this.#takeChunk(await takeCompactStart(this.#stream, head));
      return;
    }
    const errno = head.readUInt32BE(4);
    const cookie = head.readUInt32BE(8) * 0x1_0000_0000 + head.readUInt32BE(12);
    const pending = this.#pending.get(cookie);
    if (pending === undefined) throw protocolError("a reply to a request that was not made");
    const { command } = pending;
    const mustBeChunks = command === Command.Read || command === Command.BlockStatus;
    if (this.#dialect !== Dialect.Simple && errno === 0 && mustBeChunks) {
      throw protocolError("a reply that should come in chunks");
    }
    const isData = errno === 0 && command === Command.Read;
    const data = isData ? await this.#stream.take(pending.lengthBytes) : Buffer.alloc(0);
    this.#pending.delete(cookie);
    if (errno === 0) pending.resolve(data);
    else
      pending.reject(new NbdError("NBD_REPLY", `the server answers error ${String(errno)}`, errno));
    if (this.#pending.size === 0) this.#onQuiet();
  }

  async #takeChunk(start: ChunkStart): Promise<void> {
    const pending = this.#pending.get(start.cookie);
    if (pending === undefined || pending.chunks === null) {
      throw protocolError("a chunk for a request that was not made");
    }
    await pending.chunks.take(this.#stream, start);
    if (!start.isLast) return;
    this.#pending.delete(start.cookie);
    settle(pending, pending.chunks);
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

const NOWHERE = { offsetBytes: 0, lengthBytes: 0 };

/** Throws what the server did against the protocol. */
function settle({ resolve, reject }: Pending, chunks: ChunkedReply): void {
  let data: Buffer;
  try {
    data = chunks.finish();
  } catch (error) {
    reject(error as Error);
    if (error instanceof NbdError && error.code === "NBD_REPLY") return;
    throw error;
  }
  resolve(data);
}

function flagsOf({ fua }: ChangeOptions): number {
  return fua === true ? CommandFlag.Fua : 0;
}

function checkLength(lengthBytes: Bytes): void {
  if (lengthBytes <= REQUEST_BYTES_MAX) return;
  throw new RangeError(`${String(lengthBytes)} bytes are too many for one request`);
}

/** Answers how the server is to be spoken with. */
async function agree(
  stream: ByteStream,
  flags: number,
  { extendedHeaders = false, blockStatus = false }: ConnectOptions,
): Promise<Dialect> {
  if (extendedHeaders && (await extendHeaders(stream, flags))) return Dialect.Extended;
  if (blockStatus && (await structureReplies(stream, flags))) return Dialect.Structured;
  return Dialect.Simple;
}

/** The connection does not outlive a failure. */
async function withStream<T>(
  address: ServerAddress,
  signal: AbortSignal | undefined,
  use: (stream: ByteStream) => Promise<T>,
): Promise<T> {
  const stream = await ByteStream.connect(address, signal);
  try {
    return await use(stream);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
