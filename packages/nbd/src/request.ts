import type { Bytes, Page } from "@blkstack/bio";
import type { ExportBackend } from "./export-backend.ts";
import type { MetaContext } from "./meta-context.ts";
import type { RangeHold } from "./range-gate.ts";
import { ReadPieces } from "./read-pieces.ts";
import { Command, ReplyError } from "./wire.ts";

/** Whoever is told that a request has its outcome. Interrupt context: never sleeps, never throws. */
export interface RequestOwner {
  requestEnded(request: Request): void;
  /** Whether nobody waits for replies any more: what has many steps need not do them all. */
  readonly isGone: boolean;
}

/**
 * One request of a client, from its header to its reply. Pooled by its connection, so that a
 * steady load makes no garbage.
 */
export class Request implements RangeHold {
  readonly owner: RequestOwner;
  backend: ExportBackend | null = null;
  command = 0;
  flags = 0;
  /** What the client calls the request: two halves of 64 bits, as signed numbers, never compared. */
  cookieHigh = 0;
  cookieLow = 0;
  offsetBytes: Bytes = 0;
  /** The offset as extended headers repeat it, to the bit: two halves as those of the cookie. */
  offsetHigh = 0;
  offsetLow = 0;
  /** What the request is about; beyond 2^53 only nearly so, and then refused. */
  lengthBytes: Bytes = 0;
  /** What follows the header. */
  payloadBytes: Bytes = 0;
  /** What it counts for among the bytes in flight. */
  heldBytes: Bytes = 0;
  /** Whether it was refused because the server stops. */
  isLate = false;
  error: ReplyError = ReplyError.Ok;
  /** What is wrong, for people; null: nothing more than the error says. */
  errorText: Buffer | null = null;
  /** Where in the export it is wrong, within the request; below 0: not known. */
  errorAtBytes: Bytes = -1;

  /** When its header was read, by the scheduler's clock; in an array, for a field would be a new number. */
  readonly startMs: Float64Array = new Float64Array(1);

  /** Where a READ that may be answered in pieces has holes. */
  readonly pieces: ReadPieces = new ReadPieces();
  /** Those of the chosen contexts that a BLOCK_STATUS is about; null: all. */
  contexts: readonly MetaContext[] | null = null;
  /** A reply that was laid out as soon as the request came, whole. */
  laidOut: Buffer | null = null;

  /** The memory of a READ or WRITE. */
  page: Page | null = null;
  /** Where in the page the payload begins: what lies before it completes a block of the device. */
  skipBytes: Bytes = 0;
  /** Payload of a WRITE that has arrived. */
  arrivedBytes: Bytes = 0;

  /** The whole blocks that the request touches. */
  beginBytes: Bytes = 0;
  endBytes: Bytes = 0;
  isExclusive = false;
  previousHold: RangeHold | null = null;
  nextHold: RangeHold | null = null;

  /** The next one of the queue of those that have their outcome. */
  next: Request | null = null;

  constructor(owner: RequestOwner) {
    this.owner = owner;
  }

  /** Forgets the request before, of whose header nothing is left. */
  begin(): void {
    this.error = ReplyError.Ok;
    this.errorText = null;
    this.errorAtBytes = -1;
    this.arrivedBytes = 0;
    this.heldBytes = 0;
    this.isLate = false;
    this.contexts = null;
    this.laidOut = null;
    this.pieces.count = 0;
  }

  /** Payload of the reply. */
  get replyDataBytes(): Bytes {
    if (this.command !== Command.Read || this.error !== ReplyError.Ok) return 0;
    return this.pieces.count === 0 ? this.lengthBytes : this.pieces.dataBytes;
  }

  /** Whether it starts and ends at blocks of the device. */
  get isAligned(): boolean {
    return this.skipBytes === 0 && this.endBytes - this.beginBytes === this.lengthBytes;
  }

  end(error: ReplyError): void {
    this.error = error;
    this.owner.requestEnded(this);
  }
}

/** Requests queued through `next`. */
export class OutcomeQueue {
  head: Request | null = null;
  #tail: Request | null = null;

  push(request: Request): void {
    request.next = null;
    if (this.#tail === null) this.head = request;
    else this.#tail.next = request;
    this.#tail = request;
  }

  shift(): Request | null {
    const request = this.head;
    if (request === null) return null;
    this.head = request.next;
    if (this.head === null) this.#tail = null;
    request.next = null;
    return request;
  }
}
