/** The longest mark that fits into a log of any block size. */
const TEXT_BYTES_MAX = 479;

/** Makes a mark of each line of an output, in their order. */
export class OutputMarks {
  readonly #mark: (text: string) => Promise<void>;
  #begun = "";
  #marking: Promise<void> = Promise.resolve();

  constructor(mark: (text: string) => Promise<void>) {
    this.#mark = mark;
  }

  take(text: string): void {
    const lines = (this.#begun + text).split("\n");
    this.#begun = lines.pop() ?? "";
    for (const line of lines) this.#queue(line.replace(/\r$/, ""));
  }

  /** Waits: until the last mark is made. Throws what one of them could not be made for. */
  async end(): Promise<void> {
    if (this.#begun !== "") this.#queue(this.#begun);
    await this.#marking;
  }

  #queue(line: string): void {
    const text = Buffer.from(line).subarray(0, TEXT_BYTES_MAX).toString();
    this.#marking = this.#marking.then(() => this.#mark(text));
    // Heard of at the end; until then nobody waits for it.
    this.#marking.catch(() => undefined);
  }
}
