import type { Bytes } from "@blkstack/bio";
import type { ReplyBuffer } from "./reply-buffer.ts";
import type { ReplyFormat } from "./reply-format.ts";
import type { ReplyMemory } from "./reply-memory.ts";
import { type Request, OutcomeQueue } from "./request.ts";
import { ReplyError } from "./wire.ts";

/** Where replies go: a socket. Nothing written may change until `done`. */
export interface ReplySink {
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): unknown;
  cork(): void;
  uncork(): void;
}

/** With so much payload in them replies are not kept back for others: the client has enough to do. */
const HELD_BACK_BYTES_MAX = 96 * 1024;

/**
 * The replies of one connection. One write is on its way at a time; what becomes ready meanwhile
 * queues up with its memory, which the limits on requests in flight bound, and leaves together.
 */
export class Outgoing {
  readonly #sink: ReplySink;
  readonly #format: ReplyFormat;
  readonly #memory: ReplyMemory;
  /** Gives the memory of a request back, and its place among those in flight. */
  readonly #release: (request: Request) => void;
  /** Called whenever the sink has taken everything that was written. */
  readonly #onWritten: () => void;
  readonly #ready: OutcomeQueue = new OutcomeQueue();
  /** Requests whose pages are being written. */
  readonly #sending: Request[] = [];
  readonly #pieces: Uint8Array[] = [];
  #gather: ReplyBuffer | null = null;
  #heldBackBytes = 0;
  #isAbandoned = false;
  readonly #done = (): void => {
    this.#written();
  };

  constructor(options: {
    sink: ReplySink;
    format: ReplyFormat;
    memory: ReplyMemory;
    release: (request: Request) => void;
    onWritten: () => void;
  }) {
    this.#sink = options.sink;
    this.#format = options.format;
    this.#memory = options.memory;
    this.#release = options.release;
    this.#onWritten = options.onWritten;
  }

  /** Whether nothing is left to be written or on its way. */
  get isIdle(): boolean {
    return this.#gather === null && this.#ready.head === null;
  }

  /** Whether replies are ready that are worth little alone: a write costs more than they do. */
  get isWorthWaiting(): boolean {
    return this.#ready.head !== null && this.#heldBackBytes < HELD_BACK_BYTES_MAX;
  }

  push(request: Request): void {
    if (this.#isAbandoned) this.#release(request);
    else {
      this.#ready.push(request);
      this.#heldBackBytes += request.replyDataBytes;
    }
  }

  /** Sends what is ready, unless a write is still on its way. */
  flush(): void {
    this.#heldBackBytes = 0;
    if (this.#gather !== null || this.#ready.head === null || this.#isAbandoned) return;
    const gather = this.#memory.takeBuffer();
    this.#gather = gather;
    const end = this.#collect(gather);
    this.#send(end);
  }

  /** The connection is gone: nothing can be sent any more, and everything is given back. */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#gather !== null) this.#written();
    for (let request = this.#ready.shift(); request !== null; request = this.#ready.shift()) {
      this.#release(request);
    }
  }

  /** Lays out as many replies as there is room for; answers the end of what was not yet cut off. */
  #collect(gather: ReplyBuffer): Uint8Array | null {
    let begin = 0;
    let at = 0;
    for (let request = this.#ready.head; request !== null; request = this.#ready.head) {
      if (request.laidOut !== null || request.pieces.count > 0) {
        const end =
          request.laidOut === null
            ? this.#collectInPieces(request, gather, { begin, at })
            : this.#collectLaidOut(request, request.laidOut, gather, { begin, at });
        if (end === null) break;
        begin = end.begin;
        at = end.at;
        continue;
      }
      const dataBytes = request.replyDataBytes;
      const isCopied = isWorthCopying(dataBytes, gather);
      if (at + this.#format.headBytesMax + (isCopied ? dataBytes : 0) > gather.bytes.length) break;
      this.#ready.shift();
      at = this.#format.writeHead(gather, at, request, 0);
      if (isCopied) {
        if (dataBytes > 0) at = copyPayload(request, dataBytes, gather, at);
        this.#release(request);
        continue;
      }
      this.#pieces.push(gather.bytes.subarray(begin, at), payload(request, dataBytes));
      this.#sending.push(request);
      begin = at;
    }
    return at > begin ? gather.bytes.subarray(begin, at) : null;
  }

  /** A reply that waits in one piece of memory of its own; null: there is no room. */
  #collectLaidOut(
    request: Request,
    laidOut: Uint8Array,
    gather: ReplyBuffer,
    { begin, at }: Span,
  ): Span | null {
    const { bytes } = gather;
    const isCopied = isWorthCopying(laidOut.length, gather);
    if (isCopied && at + laidOut.length > bytes.length) return null;
    this.#ready.shift();
    if (isCopied) {
      bytes.set(laidOut, at);
      this.#release(request);
      return { begin, at: at + laidOut.length };
    }
    if (at > begin) this.#pieces.push(bytes.subarray(begin, at));
    this.#pieces.push(laidOut);
    this.#sending.push(request);
    return { begin: at, at };
  }

  /** A reply of several heads, some of them with a payload; null: there is no room. */
  #collectInPieces(request: Request, gather: ReplyBuffer, { begin, at }: Span): Span | null {
    const { pieces } = request;
    const dataBytes = request.replyDataBytes;
    const isCopied = isWorthCopying(dataBytes, gather);
    // An error is told in one piece, whatever the request would have been cut into.
    const count = request.error === ReplyError.Ok ? pieces.count : 1;
    const headBytes = count * this.#format.headBytesMax;
    if (at + headBytes + (isCopied ? dataBytes : 0) > gather.bytes.length) return null;
    this.#ready.shift();
    let span: Span = { begin, at };
    for (let index = 0; index < count; index += 1) {
      span.at = this.#format.writeHead(gather, span.at, request, index);
      const isData = dataBytes > 0 && !pieces.isHole(index);
      if (isData) span = this.#addPiece(request, index, { gather, span, isCopied });
    }
    if (isCopied) this.#release(request);
    else this.#sending.push(request);
    return span;
  }

  #addPiece(
    { page, skipBytes, pieces }: Request,
    index: number,
    { gather, span, isCopied }: { gather: ReplyBuffer; span: Span; isCopied: boolean },
  ): Span {
    if (page === null) throw new TypeError("a read without memory");
    const from = skipBytes + pieces.beginOf(index);
    const data = page.bytes.subarray(from, skipBytes + pieces.endOf(index));
    if (isCopied) {
      gather.bytes.set(data, span.at);
      return { begin: span.begin, at: span.at + data.length };
    }
    this.#pieces.push(gather.bytes.subarray(span.begin, span.at), data);
    return { begin: span.at, at: span.at };
  }

  #send(rest: Uint8Array | null): void {
    const pieces = this.#pieces;
    if (pieces.length === 0 && rest !== null) {
      this.#sink.write(rest, this.#done);
      return;
    }
    if (rest !== null) pieces.push(rest);
    this.#sink.cork();
    const last = pieces.length - 1;
    for (let index = 0; index <= last; index += 1) {
      const piece = pieces[index];
      if (piece !== undefined) this.#sink.write(piece, index === last ? this.#done : undefined);
    }
    pieces.length = 0;
    this.#sink.uncork();
  }

  #written(): void {
    if (this.#gather === null) return;
    this.#memory.giveBuffer(this.#gather);
    this.#gather = null;
    for (const request of this.#sending) this.#release(request);
    this.#sending.length = 0;
    if (this.#isAbandoned) return;
    this.#onWritten();
    this.flush();
  }
}

/** What was laid out and not yet cut off. */
interface Span {
  begin: number;
  at: number;
}

/** One write of many short pieces is cheaper than many pieces. */
function isWorthCopying(lengthBytes: Bytes, { bytes }: ReplyBuffer): boolean {
  return lengthBytes <= bytes.length / 4;
}

function payload(request: Request, dataBytes: Bytes): Uint8Array {
  const { page, skipBytes } = request;
  if (page === null) throw new TypeError("a read without memory");
  // The usual read fills its page: no part of it has to be made for that.
  if (page.bytes.length === dataBytes) return page.bytes;
  return page.bytes.subarray(skipBytes, skipBytes + dataBytes);
}

function copyPayload(request: Request, dataBytes: Bytes, into: ReplyBuffer, at: number): number {
  into.bytes.set(payload(request, dataBytes), at);
  return at + dataBytes;
}
