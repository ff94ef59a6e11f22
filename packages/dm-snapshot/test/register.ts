/** A write that is under way, and those that were under way with it: nobody knows which was last. */
export interface OpenWrite {
  readonly value: number;
  readonly rivals: Set<number>;
  /** How often the register had become another one when it began. */
  readonly age: number;
}

/** A read that is under way, and what it may find. */
export interface OpenRead {
  readonly allowed: Set<number>;
  readonly changes: number;
}

/**
 * One sector as its users must see it: a read finds what was written last before it, or what is
 * written while it lasts, and two reads without a write between them find the same.
 */
export class Register {
  #possible: Set<number>;
  readonly #writes = new Set<OpenWrite>();
  readonly #reads = new Set<OpenRead>();
  #changes = 0;
  #age = 0;
  /** Whether two reads may find different things: it was discarded, and not written since. */
  #isVague = false;

  constructor(possible: Iterable<number>) {
    this.#possible = new Set(possible);
  }

  beginWrite(value: number): OpenWrite {
    const write = { value, rivals: new Set<number>(), age: this.#age };
    for (const other of this.#writes) {
      write.rivals.add(other.value);
      other.rivals.add(value);
    }
    for (const { allowed } of this.#reads) allowed.add(value);
    this.#changes += 1;
    this.#writes.add(write);
    return write;
  }

  /** `isSure`: the value was written, rather than perhaps. */
  endWrite(write: OpenWrite, isSure: boolean): void {
    this.#writes.delete(write);
    this.#changes += 1;
    // What was written before it became another one is gone, and nobody knows when that was.
    if (isSure && write.age === this.#age) {
      this.#possible = new Set([write.value, ...write.rivals]);
      this.#isVague = false;
    } else this.#possible.add(write.value);
  }

  /** From here on reads find what it was or zeroes, and not always the same, until it is written. */
  endVaguely(write: OpenWrite): void {
    this.endWrite(write, false);
    this.#isVague = true;
  }

  beginRead(): OpenRead {
    const written = [...this.#writes].map(({ value }) => value);
    const read = { allowed: new Set([...this.#possible, ...written]), changes: this.#changes };
    this.#reads.add(read);
    return read;
  }

  /** Answers whether the read may have found this. */
  endRead(read: OpenRead, found: number): boolean {
    this.#reads.delete(read);
    const isQuiet = this.#writes.size === 0 && read.changes === this.#changes;
    if (!read.allowed.has(found)) return false;
    if (isQuiet && !this.#isVague) this.#possible = new Set([found]);
    return true;
  }

  /** From here on this is what the other one is; what is being written here is still to come. */
  become(other: Register): void {
    // What is being written there may be there already, or in part.
    const written = [...other.#writes].map(({ value }) => value);
    this.#possible = new Set([...other.#possible, ...written]);
    this.#age += 1;
    this.#changes += 1;
    for (const { allowed } of this.#reads) for (const value of this.#possible) allowed.add(value);
  }
}
