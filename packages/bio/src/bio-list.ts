import { type Bio, BioState } from "./bio.ts";
import { invariant } from "./invariant.ts";

// A constant of this module is one of the machine code; what is imported is looked up each time.
const LISTED = BioState.Listed;

/**
 * A queue of bios, linked through `bio.next`: adding one allocates nothing, and a bio is on one
 * list at a time. Every operation but `size` and iteration takes constant time.
 */
export class BioList {
  #head: Bio | null = null;
  #tail: Bio | null = null;

  get isEmpty(): boolean {
    return this.#head === null;
  }

  /** Counts by walking. */
  get size(): number {
    let size = 0;
    for (let bio = this.#head; bio !== null; bio = bio.next) size += 1;
    return size;
  }

  get head(): Bio | null {
    return this.#head;
  }

  get tail(): Bio | null {
    return this.#tail;
  }

  /** Forgets the bios, for instance after they were merged into another list. */
  init(): void {
    this.#head = null;
    this.#tail = null;
  }

  /** Appends. */
  add(bio: Bio): void {
    claim(bio);
    bio.next = null;
    if (this.#tail === null) this.#head = bio;
    else this.#tail.next = bio;
    this.#tail = bio;
  }

  addHead(bio: Bio): void {
    claim(bio);
    bio.next = this.#head;
    this.#head = bio;
    this.#tail ??= bio;
  }

  pop(): Bio | null {
    const bio = this.#head;
    if (bio === null) return null;
    const { next } = bio;
    bio.next = null;
    bio.state &= ~LISTED;
    this.#head = next;
    if (next === null) this.#tail = null;
    return bio;
  }

  /** Detaches all bios, still linked, and answers the first; take each off with `unlinkBio`. */
  get(): Bio | null {
    const head = this.#head;
    this.init();
    return head;
  }

  /**
   * Puts the bios of `source` behind this list's. `source` still points at them and must be
   * `init`ed before it is used again; `mergeInit` does both.
   */
  merge(source: BioList): void {
    invariant(source !== this, "list corruption: a list was merged into itself");
    if (source.#head === null) return;
    if (this.#tail === null) this.#head = source.#head;
    else this.#tail.next = source.#head;
    this.#tail = source.#tail;
  }

  /** As `merge`, but before this list's bios. */
  mergeHead(source: BioList): void {
    invariant(source !== this, "list corruption: a list was merged into itself");
    if (source.#tail === null) return;
    source.#tail.next = this.#head;
    this.#tail ??= source.#tail;
    this.#head = source.#head;
  }

  /** Moves the bios of `source` behind this list's and leaves `source` empty. */
  mergeInit(source: BioList): void {
    if (source.#head === null && source !== this) return;
    this.merge(source);
    source.init();
  }

  /** The bios, first to last; the list must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<Bio> {
    for (let bio = this.#head; bio !== null; bio = bio.next) yield bio;
  }
}

/** Takes `bio` off a chain that `BioList.get` detached; answers the one that followed it. */
export function unlinkBio(bio: Bio): Bio | null {
  const { next } = bio;
  bio.next = null;
  bio.state &= ~LISTED;
  return next;
}

function claim(bio: Bio): void {
  if ((bio.state & LISTED) !== 0) {
    invariant(false, "list corruption: a bio was added to a second list");
  }
  bio.state |= LISTED;
}
