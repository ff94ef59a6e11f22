import type { Bytes } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { Dialect } from "./dialect.ts";
import type { ExportBackend } from "./export-backend.ts";
import { FedBytes } from "./fed-bytes.ts";
import { requestFormatOf } from "./formats.ts";
import { InFlight } from "./in-flight.ts";
import { KnownAnswers } from "./known-answers.ts";
import type { NbdLimits } from "./limits.ts";
import type { MetaContext } from "./meta-context.ts";
import {
  BAD_FILTER,
  checkRequest,
  type CheckedExport,
  firstBytePastEnd,
  type Refusal,
} from "./request-check.ts";
import type { RequestFormat } from "./request-format.ts";
import { Request, type RequestOwner } from "./request.ts";
import { filterBytesMax, readFilter } from "./status-filter.ts";
import { Command, ReplyError } from "./wire.ts";

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

const Step = { Header: 0, Admit: 1, Payload: 2, Filter: 3, Discard: 4, Over: 5 } as const;
type Step = (typeof Step)[keyof typeof Step];

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
  readonly #format: RequestFormat;
  readonly #known: KnownAnswers;
  readonly #contexts: readonly MetaContext[];
  /** The payload of a BLOCK_STATUS. */
  readonly #filter: Buffer;
  readonly #requestBytesMax: Bytes;
  readonly #task: Task;
  readonly #peer: TransmissionPeer;
  readonly #free: Request[] = [];
  readonly #fed: FedBytes;
  readonly #inFlight: InFlight;
  #step: Step = Step.Header;
  #discardBytes = 0;

  /** The request between its header and its submission. */
  #current: Request;
  #isWaiting = false;
  #lacksRoom = false;
  #isClosed = false;

  constructor(options: TransmissionOptions) {
    const { backend, contexts, dialect, limits } = options;
    this.#backend = backend;
    this.#described = options.described;
    this.#format = requestFormatOf(dialect);
    this.#contexts = contexts;
    this.#filter = Buffer.alloc(filterBytesMax(contexts.length));
    this.#known = new KnownAnswers(backend.device, contexts, dialect);
    this.#requestBytesMax = limits.requestBytesMax;
    this.#task = options.task;
    this.#peer = options.peer;
    this.#fed = new FedBytes(this.#format.headerBytes);
    this.#inFlight = new InFlight(limits);
    this.#current = new Request(this);
  }

  get isGone(): boolean {
    return this.#isClosed;
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
    return this.isOver && this.#inFlight.requests === 0 && !this.#isWaiting;
  }

  /** Takes bytes, which the caller may reuse afterwards. Not while blocked. */
  push(bytes: Buffer, end: number): void {
    this.#fed.feed(bytes, end);
    this.#run();
    if (this.isOver) this.#fed.drop();
    else this.#fed.keep();
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
    if (this.#fed.isEmpty) this.#fed.drop();
  }

  /** Takes no more requests; those in flight go on. */
  stop(): void {
    const { Payload, Filter, Discard } = Step;
    const isUnfinished = this.#step === Payload || this.#step === Filter || this.#step === Discard;
    this.#step = Step.Over;
    if (isUnfinished) this.release(this.#current);
    this.#lacksRoom = false;
    this.#fed.drop();
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
    this.#inFlight.remove(request.heldBytes);
    this.#free.push(request);
    if (this.#lacksRoom || this.isOver) this.#peer.canProceed();
  }

  #run(): void {
    while (!this.isBlocked) {
      if (this.#step === Step.Header) {
        if (!this.#fed.takeHeader()) return;
        this.#decode();
      } else if (this.#step === Step.Admit) {
        this.#admit();
      } else if (this.#step === Step.Payload) {
        if (!this.#readPayload()) return;
      } else if (this.#step === Step.Filter) {
        if (!this.#readFilter()) return;
      } else if (this.#step === Step.Discard) {
        if (!this.#discard()) return;
      } else {
        return;
      }
    }
  }

  #decode(): void {
    const request = this.#free.pop() ?? new Request(this);
    if (!this.#format.decode(this.#fed.header, this.#fed.headerAt, request)) {
      this.#fail("sent a request without its magic");
      return;
    }
    request.begin();
    if (request.command === Command.Disconnect) {
      this.#free.push(request);
      this.#step = Step.Over;
      this.#peer.canProceed();
      return;
    }
    if (request.payloadBytes > this.#requestBytesMax) {
      this.#fail("sent more payload than is allowed");
      return;
    }
    this.#current = request;
    this.#step = Step.Admit;
  }

  /** Lets the current request in, as soon as there is room for it, and then does the next step. */
  #admit(): void {
    const request = this.#current;
    const refusal = checkRequest(request, this.#described);
    // Before anything is counted: a length that is refused may be no number that can be counted with.
    request.heldBytes = refusal === null ? heldBytes(request) : 0;
    if (!this.#inFlight.hasRoom(request.heldBytes)) {
      this.#lacksRoom = true;
      return;
    }
    this.#inFlight.add(request.heldBytes);
    this.#step = Step.Header;
    if (refusal !== null) this.#refuse(request, refusal);
    else if (request.command === Command.BlockStatus && request.payloadBytes > 0) {
      this.#step = Step.Filter;
    } else this.#serve(request);
  }

  #serve(request: Request): void {
    if (request.lengthBytes === 0 && request.command !== Command.Flush) {
      request.end(ReplyError.Ok);
      return;
    }
    if (this.#known.tryEnd(request)) return;
    this.#backend.align(request);
    if (request.command === Command.Read || request.command === Command.Write) {
      const isThere = this.#backend.allocPage(request, this.#task);
      if (isPending(isThere)) void this.#wait(this.#awaitPage(isThere, request));
      else this.#hold(this.#gotPage(isThere, request));
    } else {
      this.#hold(this.#backend.start(request, this.#task));
    }
  }

  #refuse(request: Request, { error, text }: Refusal): void {
    request.errorText = text;
    request.errorAtBytes = firstBytePastEnd(request, this.#described);
    this.#endAfterPayload(request, error);
  }

  /** A request that fails still brings its payload. */
  #endAfterPayload(request: Request, error: ReplyError): void {
    if (request.payloadBytes === 0) {
      request.end(error);
      return;
    }
    request.error = error;
    this.#discardBytes = request.payloadBytes;
    this.#step = Step.Discard;
  }

  #gotPage(isThere: boolean, request: Request): Awaitable<void> {
    if (!isThere) {
      this.#endAfterPayload(request, ReplyError.NoMemory);
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
    const { page, lengthBytes, skipBytes, arrivedBytes } = request;
    const missing = lengthBytes - arrivedBytes;
    if (missing > 0 && page !== null) {
      const taken = this.#fed.copyInto(page.bytes, skipBytes + arrivedBytes, missing);
      request.arrivedBytes += taken;
      if (taken < missing) return false;
    }
    this.#step = Step.Header;
    this.#hold(this.#backend.start(request, this.#task));
    return true;
  }

  /** Learns what a BLOCK_STATUS is about from its payload. */
  #readFilter(): boolean {
    const request = this.#current;
    const { arrivedBytes, payloadBytes } = request;
    request.arrivedBytes += this.#fed.copyInto(
      this.#filter,
      arrivedBytes,
      payloadBytes - arrivedBytes,
    );
    if (request.arrivedBytes < payloadBytes) return false;
    this.#step = Step.Header;
    const filter = readFilter(this.#filter.subarray(0, payloadBytes), this.#contexts);
    request.payloadBytes = 0;
    if (filter === null) {
      this.#refuse(request, BAD_FILTER);
      return true;
    }
    request.contexts = filter.contexts;
    request.lengthBytes = filter.lengthBytes;
    const refusal = checkRequest(request, this.#described);
    if (refusal === null) this.#serve(request);
    else this.#refuse(request, refusal);
    return true;
  }

  #discard(): boolean {
    this.#discardBytes -= this.#fed.skip(this.#discardBytes);
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
