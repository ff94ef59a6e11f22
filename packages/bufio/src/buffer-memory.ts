import { type Bytes, PAGE_BYTES } from "@blkstack/bio";
import type { Memory } from "@blkstack/memory";
import type { Awaitable, Gfp, Task } from "@blkstack/task";
import { BlockBuffer, type BufferHome } from "./block-buffer.ts";

/** Buffers that are kept for reuse beyond the account: an evicted block becomes the next one. */
const SPARE_MAX = 2;

/** Hears of memory taken and given back. */
export interface MemoryAccount {
  add(bytes: Bytes): void;
}

/** Where the buffers of a client come from: whole pages of the system's memory. */
export class BufferMemory {
  readonly label: string;
  readonly #home: BufferHome;
  readonly #memory: Memory;
  readonly #account: MemoryAccount;
  readonly #pages: number;
  readonly #spare: BlockBuffer[] = [];
  #currentBytes: Bytes = 0;
  #peakBytes: Bytes = 0;

  constructor(home: BufferHome, memory: Memory, account: MemoryAccount) {
    this.label = `buffers of ${home.label}`;
    this.#home = home;
    this.#memory = memory;
    this.#account = account;
    this.#pages = Math.ceil(home.blockBytes / PAGE_BYTES);
  }

  get currentBytes(): Bytes {
    return this.#currentBytes;
  }

  get peakBytes(): Bytes {
    return this.#peakBytes;
  }

  /** Null when there is no memory for the asking. Waits: never. */
  tryAlloc(gfp: Gfp): BlockBuffer | null {
    return this.#memory.tryTakePages(this.#pages, gfp, this.label) ? this.#make() : null;
  }

  /** Null when there is no memory. Waits: if `gfp` allows, while memory is reclaimed. */
  alloc(gfp: Gfp, task: Task): Awaitable<BlockBuffer | null> {
    const taken = this.#memory.takePages(this.#pages, gfp, task, this.label);
    if (typeof taken === "boolean") return taken ? this.#make() : null;
    return taken.then((late) => (late ? this.#make() : null));
  }

  free(buffer: BlockBuffer): void {
    this.#memory.givePages(this.#pages);
    this.#count(-buffer.data.length);
    if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }

  #make(): BlockBuffer {
    const buffer = this.#spare.pop() ?? new BlockBuffer(this.#home);
    this.#count(buffer.data.length);
    return buffer;
  }

  #count(bytes: Bytes): void {
    this.#currentBytes += bytes;
    if (this.#currentBytes > this.#peakBytes) this.#peakBytes = this.#currentBytes;
    this.#account.add(bytes);
  }
}
