import type { Bytes } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { ExportBackend } from "./export-backend.ts";
import type { NbdLimits } from "./limits.ts";
import type { MetaContext } from "./meta-context.ts";
import { blockStatus } from "./block-status.ts";
import { layOutStatus } from "./chunk-format.ts";
import { Dialect } from "./dialect.ts";
import { checkRequest, type CheckedExport, firstBytePastEnd } from "./request-check.ts";
import { isKnownZero } from "./known-zero.ts";
import { Request, type RequestOwner } from "./request.ts";
import {
  Command,
  CommandFlag,
  readUint64,
  ReplyError,
  REQUEST_BYTES,
  REQUEST_MAGIC,
} from "./wire.ts";

/** Whom the transmission answers to. */
export interface TransmissionPeer {
  /** A request has its outcome. Interrupt context. */
  reply(request: Request): void;
  /** There is room again, or a wait is over: call `proceed` soon. Perhaps interrupt context. */
  canProceed(): void;
  /** The client broke the protocol, or something broke here: only closing is left. */
  fail(reason: string): void;
}

export interface TransmissionOptions {
  readonly backend: ExportBackend;
  readonly described: CheckedExport;
  readonly dialect: Dialect;
  /** What BLOCK_STATUS is to tell. */
  readonly contexts: readonly MetaContext[];
  readonly limits: NbdLimits;
  readonly task: Task;
  readonly peer: TransmissionPeer;
}

const Step = { Header: 0, Admit: 1, Payload: 2, Discard: 3, Over: 4 } as const;
type Step = (typeof Step)[keyof typeof Step];

const NO_BYTES = Buffer.alloc(0);
/** Shorter reads are not worth asking the device for its holes. */
const HOLE_READ_BYTES_MIN = 32 * 1024;

/**
 * The requests of one client, fed with bytes as they come. Requests are read where they lie, and
 * payload is copied once, into the memory that its device will read.
 *
 * What cannot be taken yet, for lack of room or because the device makes its submitter wait, is
 * kept, and nothing more should be fed until `isBlocked` is false again.
 */
export class Transmission implements RequestOwner {
  readonly #backend: ExportBackend;
  readonly #described: CheckedExport;
  readonly #contexts: readonly MetaContext[];
  /** Whether replies can leave holes out, and the device knows of any. */
  readonly #findsHoles: boolean;
  readonly #limits: NbdLimits;
  readonly #task: Task;
  readonly #peer: TransmissionPeer;
  readonly #free: Request[] = [];
  #step: Step = Step.Header;

  /** What was fed and is not yet taken: `#bytes` from `#at` to `#end`. */
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  /** A header that came in pieces. */
  readonly #header: Buffer = Buffer.alloc(REQUEST_BYTES);
  #headerFilled = 0;
  #discardBytes = 0;

  /** The request between its header and its submission. */
  #current: Request;
  #inFlight = 0;
  #bytesInFlight = 0;
  #isWaiting = false;
  #lacksRoom = false;
  #isClosed = false;

  constructor(options: TransmissionOptions) {
    this.#backend = options.backend;
    this.#described = options.described;
    this.#contexts = options.contexts;
    this.#findsHoles =
      options.dialect !== Dialect.Simple && options.backend.device.findExtent !== undefined;
    this.#limits = options.limits;
    this.#task = options.task;
    this.#peer = options.peer;
    this.#current = new Request(this);
  }

  /** Requests read whose memory has not been given back. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether what was fed had to be kept. */
  get isBlocked(): boolean {
    return this.#isWaiting || this.#lacksRoom;
  }

  /** Whether no request will be taken any more: the client said so, or `stop` did. */
  get isOver(): boolean {
    return this.#step === Step.Over;
  }

  /** Whether everything has ended, a submission that waits included. */
  get isFinished(): boolean {
    return this.isOver && this.#inFlight === 0 && !this.#isWaiting;
  }

  /** Takes bytes, which the caller may reuse afterwards. Not while blocked. */
  push(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = end;
    this.#run();
    if (this.#at < this.#end && !this.isOver) {
      this.#bytes = Buffer.from(bytes.subarray(this.#at, end));
      this.#end -= this.#at;
      this.#at = 0;
    } else {
      this.#drop();
    }
  }

  /** Where to receive a long payload directly, to be told by `arrived`; null: use `push`. */
  directBuffer(bytesMin: Bytes): Uint8Array | null {
    if (this.#step !== Step.Payload || this.isBlocked) return null;
    const { page, skipBytes, arrivedBytes, lengthBytes } = this.#current;
    if (page === null || lengthBytes - arrivedBytes < bytesMin) return null;
    return page.bytes.subarray(skipBytes + arrivedBytes, skipBytes + lengthBytes);
  }

  /** So many bytes lie in the `directBuffer` that was last answered. */
  arrived(bytes: Bytes): void {
    this.#current.arrivedBytes += bytes;
    this.#run();
  }

  /** Goes on with what was kept, if it can. Not in interrupt context. */
  proceed(): void {
    if (this.#isWaiting || this.#isClosed) return;
    this.#lacksRoom = false;
    this.#run();
    if (this.#at >= this.#end) this.#drop();
  }

  /** Takes no more requests; those in flight go on. */
  stop(): void {
    const isUnfinished = this.#step === Step.Payload || this.#step === Step.Discard;
    this.#step = Step.Over;
    if (isUnfinished) this.release(this.#current);
    this.#lacksRoom = false;
    this.#drop();
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.stop();
  }

  /** Interrupt context. */
  requestEnded(request: Request): void {
    this.#peer.reply(request);
  }

  /** The reply has gone, or never will: gives the memory of a request back. Interrupt context. */
  release(request: Request): void {
    if (request.page !== null) this.#backend.pages.free(request.page);
    request.page = null;
    this.#inFlight -= 1;
    this.#bytesInFlight -= heldBytes(request);
    this.#free.push(request);
    if (this.#lacksRoom || this.isOver) this.#peer.canProceed();
  }

  #drop(): void {
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
  }

  #run(): void {
    while (!this.isBlocked) {
      if (this.#step === Step.Header) {
        if (!this.#readHeader()) return;
      } else if (this.#step === Step.Admit) {
        this.#admit();
      } else if (this.#step === Step.Payload) {
        if (!this.#readPayload()) return;
      } else if (this.#step === Step.Discard) {
        if (!this.#discard()) return;
      } else {
        return;
      }
    }
  }

  /** Answers false when there are not bytes enough. */
  #readHeader(): boolean {
    const available = this.#end - this.#at;
    if (this.#headerFilled === 0 && available >= REQUEST_BYTES) {
      const at = this.#at;
      this.#at += REQUEST_BYTES;
      this.#decode(this.#bytes, at);
      return true;
    }
    const wanted = Math.min(available, REQUEST_BYTES - this.#headerFilled);
    this.#bytes.copy(this.#header, this.#headerFilled, this.#at, this.#at + wanted);
    this.#at += wanted;
    this.#headerFilled += wanted;
    if (this.#headerFilled < REQUEST_BYTES) return false;
    this.#headerFilled = 0;
    this.#decode(this.#header, 0);
    return true;
  }

  #decode(bytes: Buffer, at: number): void {
    if (bytes.readUInt32BE(at) !== REQUEST_MAGIC) {
      this.#fail("sent a request without its magic");
      return;
    }
    const request = this.#free.pop() ?? new Request(this);
    request.flags = bytes.readUInt16BE(at + 4);
    request.command = bytes.readUInt16BE(at + 6);
    request.cookieHigh = bytes.readInt32BE(at + 8);
    request.cookieLow = bytes.readInt32BE(at + 12);
    request.offsetBytes = readUint64(bytes, at + 16);
    request.lengthBytes = bytes.readUInt32BE(at + 24);
    request.error = ReplyError.Ok;
    request.errorText = null;
    request.errorAtBytes = -1;
    request.arrivedBytes = 0;
    request.laidOut = null;
    request.pieces.count = 0;
    if (request.command === Command.Disconnect) {
      this.#free.push(request);
      this.#step = Step.Over;
      this.#peer.canProceed();
      return;
    }
    if (request.command === Command.Write && request.lengthBytes > this.#limits.requestBytesMax) {
      this.#fail("sent more payload than is allowed");
      return;
    }
    this.#current = request;
    this.#step = Step.Admit;
  }

  /** Lets the current request in, as soon as there is room for it, and then does the next step. */
  #admit(): void {
    const request = this.#current;
    const bytes = heldBytes(request);
    const { requestsInFlightMax, bytesInFlightMax } = this.#limits;
    const isFull = this.#inFlight > 0 && this.#bytesInFlight + bytes > bytesInFlightMax;
    if (this.#inFlight >= requestsInFlightMax || isFull) {
      this.#lacksRoom = true;
      return;
    }
    this.#inFlight += 1;
    this.#bytesInFlight += bytes;
    this.#step = Step.Header;
    const refusal = checkRequest(request, this.#described);
    if (refusal !== null) {
      request.error = refusal.error;
      request.errorText = refusal.text;
      request.errorAtBytes = firstBytePastEnd(request, this.#described);
      this.#refuse(request);
      return;
    }
    if (request.lengthBytes === 0 && request.command !== Command.Flush) {
      request.end(ReplyError.Ok);
      return;
    }
    if (request.command === Command.BlockStatus) {
      const replies = blockStatus(request, this.#backend.device, this.#contexts);
      request.laidOut = layOutStatus(request, replies);
      request.end(ReplyError.Ok);
      return;
    }
    if ((request.flags & CommandFlag.FastZero) !== 0) {
      request.end(this.#fastZero(request));
      return;
    }
    if (this.#findsHoles && this.#isOneHole(request)) {
      request.end(ReplyError.Ok);
      return;
    }
    this.#backend.align(request);
    if (request.command === Command.Read || request.command === Command.Write) {
      const isThere = this.#backend.allocPage(request, this.#task);
      if (isPending(isThere)) void this.#wait(this.#awaitPage(isThere, request));
      else this.#hold(this.#gotPage(isThere, request));
    } else {
      this.#hold(this.#backend.start(request, this.#task));
    }
  }

  /** Nothing is faster than to have nothing to do, and nothing else is sure to be fast. */
  #fastZero(request: Request): ReplyError {
    const asksForMore = (request.flags & (CommandFlag.NoHole | CommandFlag.Fua)) !== 0;
    if (asksForMore || !isKnownZero(request, this.#backend.device)) return ReplyError.NotSupported;
    return ReplyError.Ok;
  }

  /** Cuts a long read where the device has holes; answers whether there is nothing but a hole. */
  #isOneHole({ command, flags, offsetBytes, lengthBytes, pieces }: Request): boolean {
    if (command !== Command.Read || lengthBytes < HOLE_READ_BYTES_MIN) return false;
    pieces.find(this.#backend.device, offsetBytes, lengthBytes);
    if ((flags & CommandFlag.DontFragment) !== 0 && pieces.count > 1) pieces.clear();
    return pieces.isOneHole;
  }

  /** A refused write still brings its payload. */
  #refuse(request: Request): void {
    if (request.command !== Command.Write || request.lengthBytes === 0) {
      request.end(request.error);
      return;
    }
    this.#discardBytes = request.lengthBytes;
    this.#step = Step.Discard;
  }

  #gotPage(isThere: boolean, request: Request): Awaitable<void> {
    if (!isThere) {
      request.error = ReplyError.NoMemory;
      this.#refuse(request);
    } else if (request.command === Command.Write) {
      this.#step = Step.Payload;
    } else {
      return this.#backend.start(request, this.#task);
    }
  }

  async #awaitPage(isThere: Promise<boolean>, request: Request): Promise<void> {
    const got = await isThere;
    if (this.isOver) this.release(request);
    else await this.#gotPage(got, request);
  }

  #readPayload(): boolean {
    const request = this.#current;
    const { page, lengthBytes } = request;
    const missing = lengthBytes - request.arrivedBytes;
    const taken = Math.min(missing, this.#end - this.#at);
    if (taken > 0 && page !== null) {
      const into = request.skipBytes + request.arrivedBytes;
      page.bytes.set(this.#bytes.subarray(this.#at, this.#at + taken), into);
      this.#at += taken;
      request.arrivedBytes += taken;
    }
    if (taken < missing) return false;
    this.#step = Step.Header;
    this.#hold(this.#backend.start(request, this.#task));
    return true;
  }

  #discard(): boolean {
    const taken = Math.min(this.#discardBytes, this.#end - this.#at);
    this.#at += taken;
    this.#discardBytes -= taken;
    if (this.#discardBytes > 0) return false;
    this.#step = Step.Header;
    this.#current.end(this.#current.error);
    return true;
  }

  /** Holds everything up while `work` goes on: the task does one thing at a time. */
  #hold(work: Awaitable<void>): void {
    if (isPending(work)) void this.#wait(work);
  }

  async #wait(work: Promise<void>): Promise<void> {
    this.#isWaiting = true;
    try {
      await work;
    } catch (error) {
      this.#fail(`could not be served: ${String(error)}`);
    }
    this.#isWaiting = false;
    this.#peer.canProceed();
  }

  #fail(reason: string): void {
    this.#step = Step.Over;
    this.#peer.fail(reason);
  }
}

/** What a request counts for among the bytes in flight. */
function heldBytes({ command, lengthBytes }: Request): Bytes {
  return command === Command.Read || command === Command.Write ? lengthBytes : 0;
}
