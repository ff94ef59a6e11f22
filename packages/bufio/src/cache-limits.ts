import { type Bytes, invariant } from "@blkstack/bio";
import type { BufioCaches } from "./bufio-caches.ts";

/** Beyond this part of its limit, what is dirty is written though nobody has asked for it. */
const DIRTY_PART = 0.75;

/** How much one client may keep, and how much of that dirty. */
export class CacheLimits {
  readonly #caches: BufioCaches;
  readonly #blockBytes: Bytes;
  #minimumBuffers = 0;
  #buffers = 0;
  #dirtyBuffers = 0;

  constructor(caches: BufioCaches, blockBytes: Bytes, minimumBuffers: number) {
    this.#caches = caches;
    this.#blockBytes = blockBytes;
    this.minimumBuffers = minimumBuffers;
  }

  /** A client may keep so many buffers however small its share is. */
  get minimumBuffers(): number {
    return this.#minimumBuffers;
  }

  set minimumBuffers(count: number) {
    invariant(Number.isSafeInteger(count) && count > 0, `a minimum of ${String(count)} buffers`);
    this.#minimumBuffers = count;
    this.update();
  }

  get buffers(): number {
    return this.#buffers;
  }

  get dirtyBuffers(): number {
    return this.#dirtyBuffers;
  }

  /** Buffers that are kept though they are old, and though memory is short. */
  get retainBuffers(): number {
    return Math.floor(this.#caches.retainBytes / this.#blockBytes);
  }

  /** The share has changed. */
  update(): void {
    const share = Math.floor(this.#caches.shareBytes / this.#blockBytes);
    this.#buffers = Math.max(this.#minimumBuffers, share);
    this.#dirtyBuffers = Math.floor(this.#buffers * DIRTY_PART);
  }
}
