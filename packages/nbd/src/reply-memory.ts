import type { Bytes } from "@blkstack/bio";
import { ReplyBuffer } from "./reply-buffer.ts";

/** Room for a queue of 32 replies of 4 KiB. */
const LARGE_BYTES = 256 * 1024;

/** Room for the heads of many replies, and for all of one that is cut into the most pieces. */
const SMALL_BYTES = 8 * 1024;

/** As few connections write at a time, unless their clients are slow to read. */
const FREE_MAX = 4;

/**
 * What all connections together hold to tell their clients, but for payload, which has pages of
 * its own. Nobody waits for it: when clients that do not read hold as much as there may be, each
 * reply is told in less memory, without a copy of its payload and with few extents.
 */
export class ReplyMemory {
  readonly #boundBytes: Bytes;
  readonly #free: ReplyBuffer[] = [];
  #usedBytes = 0;

  /** Beyond the bound only small buffers are held, one for each connection. */
  constructor(boundBytes: Bytes) {
    this.#boundBytes = Math.max(boundBytes, LARGE_BYTES);
  }

  get usedBytes(): Bytes {
    return this.#usedBytes;
  }

  /** Whether there is not enough for whoever comes next. */
  get isShort(): boolean {
    return this.#usedBytes + LARGE_BYTES > this.#boundBytes;
  }

  /** A buffer to lay replies out in. */
  takeBuffer(): ReplyBuffer {
    const buffer = this.isShort
      ? new ReplyBuffer(SMALL_BYTES)
      : (this.#free.pop() ?? new ReplyBuffer(LARGE_BYTES));
    this.#usedBytes += buffer.bytes.length;
    return buffer;
  }

  giveBuffer(buffer: ReplyBuffer): void {
    this.#usedBytes -= buffer.bytes.length;
    if (buffer.bytes.length === LARGE_BYTES && this.#free.length < FREE_MAX) {
      this.#free.push(buffer);
    }
  }

  /** Something of this length waits to be told, from now on. */
  add(bytes: Bytes): void {
    this.#usedBytes += bytes;
  }

  /** And no more. */
  remove(bytes: Bytes): void {
    this.#usedBytes -= bytes;
  }
}
