import type { Bytes } from "@blkstack/bio";

/** The most pieces that one system call takes (IOV_MAX). */
const PIECES_MAX = 1024;
const WORD = 2 ** 32;

/**
 * The pieces of memory that the next call reads into, as the system wants them: an address and a
 * length, 64 bits each, first the lower half, for all machines that are served have it so. True until
 * anybody else runs: memory may go elsewhere then.
 */
export class Iovec {
  readonly #words: Uint32Array = new Uint32Array(4 * PIECES_MAX);
  /**
   * What to hand to the system: where this list itself lies. So much memory is outside of the heap
   * and stays where it is; to ask once is cheaper than to hand over an array each time.
   */
  readonly address: number;
  readonly #ffi: { address(memory: Uint8Array): bigint };

  constructor(ffi: { address(memory: Uint8Array): bigint }) {
    this.#ffi = ffi;
    this.address = Number(ffi.address(new Uint8Array(this.#words.buffer)));
  }

  /** One piece: so much of `memory` from `at` on. Throws a RangeError when it is not so long. */
  set(memory: Uint8Array, at: number, length: Bytes): void {
    checkPiece(memory, at, length);
    this.#put(0, Number(this.#ffi.address(memory)) + at, length);
  }

  /** Throws a RangeError when there are more than one call takes. */
  setViews(views: readonly Uint8Array[]): void {
    if (views.length > PIECES_MAX) {
      throw new RangeError(`${String(views.length)} pieces; give ${String(PIECES_MAX)} at most`);
    }
    let index = 0;
    for (const view of views) {
      this.#put(index, Number(this.#ffi.address(view)), view.length);
      index += 1;
    }
  }

  #put(index: number, address: number, length: Bytes): void {
    const words = this.#words;
    const at = 4 * index;
    words[at] = address % WORD;
    words[at + 1] = address / WORD;
    words[at + 2] = length % WORD;
    words[at + 3] = length / WORD;
  }
}

/** Throws a RangeError when so much from `at` on is not all within the memory. */
export function checkPiece(memory: Uint8Array, at: number, length: Bytes): void {
  // Memory that was handed to another thread is 0 bytes long here.
  const isWithin = at >= 0 && length >= 0 && at + length <= memory.length;
  if (isWithin && Number.isSafeInteger(at) && Number.isSafeInteger(length)) return;
  throw new RangeError(
    `${String(length)} bytes at ${String(at)} of ${String(memory.length)} bytes of memory`,
  );
}
