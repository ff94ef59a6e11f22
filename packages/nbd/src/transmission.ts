import type { Bytes } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { ExportBackend } from "./export-backend.ts";
import { FedBytes } from "./fed-bytes.ts";
import { requestFormatOf } from "./formats.ts";
import { InFlight } from "./in-flight.ts";
import { KnownAnswers } from "./known-answers.ts";
import { PayloadIntake } from "./payload-intake.ts";
import {
  BAD_FILTER,
  checkRequest,
  type CheckedExport,
  firstBytePastEnd,
  type Refusal,
  SHUTDOWN,
} from "./request-check.ts";
import type { ReplyMemory } from "./reply-memory.ts";
import type { RequestFormat } from "./request-format.ts";
import { Request, type RequestOwner } from "./request.ts";
import type { TransmissionOptions, TransmissionPeer } from "./transmission-options.ts";
import { Command, ReplyError } from "./wire.ts";

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
  readonly #replyMemory: ReplyMemory;
  readonly #requestBytesMax: Bytes;
  readonly #task: Task;
  readonly #peer: TransmissionPeer;
  readonly #free: Request[] = [];
  readonly #fed: FedBytes;
  readonly #intake: PayloadIntake;
  readonly #inFlight: InFlight;
  #step: Step = Step.Header;

  /** The request between its header and its submission. */
  #current: Request;
  #isWaiting = false;
  #lacksRoom = false;
  #isClosed = false;
  /** Whether what comes now comes too late. */
  #isRefusing = false;
  /** In flight and not too late. */
  #inTime = 0;
  /** When the bytes came that are being read. */
  readonly #arrivalMs: Float64Array = new Float64Array(1);

  constructor(options: TransmissionOptions) {
    const { backend, contexts, dialect, limits } = options;
    this.#backend = backend;
    this.#described = options.described;
    this.#format = requestFormatOf(dialect);
    this.#known = new KnownAnswers(options);
    this.#replyMemory = options.replyMemory;
    this.#requestBytesMax = limits.requestBytesMax;
    this.#task = options.task;
    this.#peer = options.peer;
    this.#fed = new FedBytes(this.#format.headerBytes);
    this.#intake = new PayloadIntake(this.#fed, contexts);
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

  /** Requests that were read and whose memory has not been given back. */
  get inFlight(): number {
    return this.#inFlight.requests;
  }

  /** Whether everything has ended, a submission that waits included. */
  get isFinished(): boolean {
    return this.isOver && this.#inFlight.requests === 0 && !this.#isWaiting;
  }

  /** Whether a request that was in time has yet to see its reply taken. */
  get isBusy(): boolean {
    return this.#inTime > 0 || this.#isWaiting;
  }

  /** Whether the device keeps requests, or memory does: it is not the client who takes its time. */
  get isServing(): boolean {
    return this.#inTime > (this.isArriving ? 1 : 0) || this.#isWaiting;
  }

  /** Payload in flight, in bytes. */
  get heldBytes(): Bytes {
    return this.#inFlight.bytes;
  }

  /** Whether some of a payload is still to come. */
  get isArriving(): boolean {
    const { Payload, Filter, Discard } = Step;
    return this.#step === Payload || this.#step === Filter || this.#step === Discard;
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
    if (this.#isRefusing && this.#inTime === 0 && !this.isOver) this.stop();
    this.#lacksRoom = false;
    this.#run();
    if (this.#fed.isEmpty) this.#fed.drop();
  }

  /** Takes no more requests; those in flight go on. */
  stop(): void {
    const isUnfinished = this.isArriving;
    this.#step = Step.Over;
    if (isUnfinished) this.release(this.#current);
    this.#lacksRoom = false;
    this.#fed.drop();
  }

  /** Serves nothing more: tells whatever comes so, and is over once what was in time is done. */
  refuse(): void {
    this.#isRefusing = true;
    this.#peer.canProceed();
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
    if (request.laidOut !== null) this.#replyMemory.remove(request.laidOut.length);
    request.laidOut = null;
    this.#inFlight.remove(request.heldBytes);
    this.#free.push(request);
    if (!request.isLate) this.#inTime -= 1;
    if (this.#lacksRoom || this.isOver || this.#isRefusing) this.#peer.canProceed();
  }

  #run(): void {
    this.#arrivalMs[0] = this.#task.scheduler.clock.nowMs();
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
    request.startMs[0] = this.#arrivalMs[0] ?? 0;
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
    request.isLate = this.#isRefusing;
    const refusal = request.isLate ? SHUTDOWN : checkRequest(request, this.#described);
    // Before anything is counted: a length that is refused may be no number that can be counted with.
    request.heldBytes = refusal === null ? heldBytes(request) : 0;
    if (!this.#inFlight.hasRoom(request.heldBytes)) {
      this.#lacksRoom = true;
      return;
    }
    this.#inFlight.add(request.heldBytes);
    if (!request.isLate) this.#inTime += 1;
    this.#step = Step.Header;
    if (refusal !== null) this.#refuse(request, refusal);
    else if (request.command === Command.BlockStatus && request.payloadBytes > 0) {
      this.#step = Step.Filter;
    } else this.#serve(request);
  }

  #serve(request: Request): void {
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
    this.#intake.beginDiscard(request);
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
    if (!this.#intake.takeData(this.#current)) return false;
    this.#step = Step.Header;
    this.#hold(this.#backend.start(this.#current, this.#task));
    return true;
  }

  #readFilter(): boolean {
    const request = this.#current;
    if (!this.#intake.takeFilter(request)) return false;
    this.#step = Step.Header;
    const refusal = this.#intake.applyFilter(request)
      ? checkRequest(request, this.#described)
      : BAD_FILTER;
    if (refusal === null) this.#serve(request);
    else this.#refuse(request, refusal);
    return true;
  }

  #discard(): boolean {
    if (!this.#intake.discard()) return false;
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
