import { Bio, BIO_INLINE_VECS, createVecs } from "@blkstack/bio";
import type { Memory } from "@blkstack/memory";
import type { Gfp, Task } from "@blkstack/task";

/** The most vectors of a bio from the heap. */
const HEAP_VECS_MAX = 1024;

/** Bios without a set: any number of them, but no promise that there is one. */
export class HeapBios {
  readonly label: string;
  readonly #memory: Memory;

  constructor(memory: Memory, label = "heap bios") {
    this.#memory = memory;
    this.label = label;
  }

  /** A bio with room for `vecCount` vectors, or null. Waits: never today; see `Slab.alloc`. */
  alloc(gfp: Gfp, vecCount: number, task: Task): Bio | null {
    const mask = this.#memory.admit(gfp, task, this.label);
    if (vecCount > HEAP_VECS_MAX || this.#memory.fails(this.label, mask)) return null;
    const vecs = createVecs(vecCount);
    const bio = new Bio(null, null, vecCount <= BIO_INLINE_VECS ? vecs : []);
    bio.vecs = vecs;
    bio.vecMax = vecCount;
    return bio;
  }
}
