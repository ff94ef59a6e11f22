/** Whether these bytes may be what the disk held, `from` bytes behind the beginning of a range. */
export type Holds = (read: Uint8Array, from: number) => boolean;

/** Nobody knows what a byte is: a trim may leave anything. */
const ANYTHING = -1;

interface Change {
  readonly begin: number;
  readonly end: number;
  /** What lies at `begin` and behind it; null: anything. */
  readonly data: Uint8Array | null;
}

/**
 * What a disk must hold after the requests of one client, who waits for no answer. While the device
 * ends requests in order, each byte is known. From the first change on that is not made of whole
 * blocks, and so takes several steps, requests may pass each other: a byte is then one of those that
 * were there or were put there.
 */
export class ModelDisk {
  readonly #blockBytes: number;
  #isOrdered: boolean;
  readonly #bytes: Int16Array;
  readonly #changes: Change[] = [];

  constructor(initial: Uint8Array, blockBytes: number, isOrdered: boolean) {
    this.#bytes = Int16Array.from(initial);
    this.#blockBytes = blockBytes;
    this.#isOrdered = isOrdered;
  }

  write(at: number, data: Uint8Array): void {
    this.#begin(at, data.length);
    if (this.#isOrdered) this.#bytes.set(data, at);
    else this.#changes.push({ begin: at, end: at + data.length, data });
  }

  /** What comes now takes several steps. */
  loseOrder(): void {
    this.#isOrdered = false;
  }

  zero(at: number, length: number): void {
    this.write(at, new Uint8Array(length));
  }

  /** Forgets what lies in the whole blocks of a range. */
  forget(at: number, length: number): void {
    const blockBytes = this.#blockBytes;
    this.#begin(at, length);
    const begin = Math.ceil(at / blockBytes) * blockBytes;
    const end = Math.floor((at + length) / blockBytes) * blockBytes;
    if (begin >= end) return;
    if (this.#isOrdered) this.#bytes.fill(ANYTHING, begin, end);
    else this.#changes.push({ begin, end, data: null });
  }

  /** What a read of this range may bring that comes now in the session. */
  expect(at: number, length: number): Holds {
    const now = this.#bytes.slice(at, at + length);
    return (read, from) =>
      from + read.length <= length &&
      read.every((byte, index) => {
        const known = now[from + index];
        return known === byte || known === ANYTHING || this.#mayBe(at + from + index, byte);
      });
  }

  #begin(at: number, length: number): void {
    this.#isOrdered &&= at % this.#blockBytes === 0 && length % this.#blockBytes === 0;
  }

  #mayBe(at: number, byte: number): boolean {
    return this.#changes.some(({ begin, end, data }) => {
      if (at < begin || at >= end) return false;
      return data === null || data[at - begin] === byte;
    });
  }
}
