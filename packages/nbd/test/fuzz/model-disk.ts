/** Whether these bytes may be what the disk held, `from` bytes behind the beginning of a range. */
export type Holds = (read: Uint8Array, from: number) => boolean;

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
  readonly #bytes: Buffer;
  /** 1 where nobody knows what a byte is, for a trim may leave anything; null: nowhere. */
  #unknown: Buffer | null = null;
  readonly #changes: Change[] = [];

  constructor(initial: Uint8Array, blockBytes: number, isOrdered: boolean) {
    this.#bytes = Buffer.from(initial);
    this.#blockBytes = blockBytes;
    this.#isOrdered = isOrdered;
  }

  write(at: number, data: Uint8Array): void {
    this.#begin(at, data.length);
    const end = at + data.length;
    if (!this.#isOrdered) {
      this.#changes.push({ begin: at, end, data });
      return;
    }
    this.#bytes.set(data, at);
    this.#unknown?.fill(0, at, end);
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
    if (this.#isOrdered) {
      this.#unknown ??= Buffer.alloc(this.#bytes.length);
      this.#unknown.fill(1, begin, end);
    } else this.#changes.push({ begin, end, data: null });
  }

  /** What a read of this range may bring that comes now in the session. */
  expect(at: number, length: number): Holds {
    const now = Buffer.from(this.#bytes.subarray(at, at + length));
    const unknown = this.#unknown && Buffer.from(this.#unknown.subarray(at, at + length));
    return (read, from) => {
      const end = from + read.length;
      if (end > length) return false;
      if (now.compare(read, 0, read.length, from, end) === 0) return true;
      let index = 0;
      while (index < read.length) {
        const place = from + index;
        if (now[place] === read[index] || unknown?.[place] === 1) index += 1;
        else {
          const length = this.#mayBe(at + place, read, index);
          if (length === 0) return false;
          index += length;
        }
      }
      return true;
    };
  }

  #begin(at: number, length: number): void {
    this.#isOrdered &&= at % this.#blockBytes === 0 && length % this.#blockBytes === 0;
  }

  /** How many bytes from `index` on some change may have put there; one change mostly put many. */
  #mayBe(at: number, read: Uint8Array, index: number): number {
    for (const { begin, end, data } of this.#changes) {
      if (at < begin || at >= end) continue;
      const lengthMax = Math.min(end - at, read.length - index);
      let length = 0;
      while (
        length < lengthMax &&
        (data === null || data[at - begin + length] === read[index + length])
      )
        length += 1;
      if (length > 0) return length;
    }
    return 0;
  }
}
