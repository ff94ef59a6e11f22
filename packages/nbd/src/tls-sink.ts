import type { Bytes } from "@blkstack/bio";
import type { ReplySink } from "./outgoing.ts";
import type { ReplyMemory } from "./reply-memory.ts";

/** So much is encrypted at a time: what is encrypted is a copy. */
const PIECE_BYTES = 256 * 1024;
/** And so much when others hold what there is for copies: what TLS has in one record. */
const SHORT_PIECE_BYTES = 16 * 1024;

type Done = (error?: Error | null) => void;

interface Queued {
  readonly bytes: Uint8Array;
  readonly done: Done | undefined;
}

/**
 * Writes to TLS one piece after the other. A TLS socket encrypts all that it is given before any of
 * it leaves, however slowly the other side reads; what waits here is not even copied.
 */
export class TlsSink implements ReplySink {
  readonly #socket: { write(bytes: Uint8Array, done: Done): unknown };
  readonly #queue: Queued[] = [];
  /** How much of the first of the queue was given to the socket. */
  #givenBytes: Bytes = 0;
  /** How much of that has not left yet. */
  #copiedBytes: Bytes = 0;
  readonly #memory: ReplyMemory;
  readonly #given: Done = (error) => {
    this.#pieceLeft(error);
  };

  constructor(socket: { write(bytes: Uint8Array, done: Done): unknown }, memory: ReplyMemory) {
    this.#socket = socket;
    this.#memory = memory;
  }

  write(bytes: Uint8Array, done?: Done): void {
    this.#queue.push({ bytes, done });
    if (this.#queue.length === 1) this.#give();
  }

  /** Pieces leave one by one as it is. */
  cork(): void {
    return;
  }

  uncork(): void {
    return;
  }

  #give(): void {
    const first = this.#queue[0];
    if (first === undefined) return;
    const begin = this.#givenBytes;
    const pieceBytes = this.#memory.isShort ? SHORT_PIECE_BYTES : PIECE_BYTES;
    this.#copiedBytes = Math.min(pieceBytes, first.bytes.length - begin);
    this.#givenBytes = begin + this.#copiedBytes;
    this.#memory.add(this.#copiedBytes);
    this.#socket.write(first.bytes.subarray(begin, this.#givenBytes), this.#given);
  }

  #pieceLeft(error: Error | null | undefined): void {
    this.#memory.remove(this.#copiedBytes);
    const first = this.#queue[0];
    if (!(error instanceof Error) && this.#givenBytes !== first?.bytes.length) {
      this.#give();
      return;
    }
    this.#queue.shift();
    this.#givenBytes = 0;
    // Before whoever waited is told: they may write more, which is given at once when nothing is queued.
    this.#give();
    first?.done?.(error);
  }
}
