/**
 * What a server has answered and may yet lose: the writes since the last good flush. Once any was
 * lost, that is so for ever.
 */
export class WriteDebt {
  #answered = 0;
  #flushed = 0;
  #hasLost = false;

  /** Of the writes that are answered by now: what a flush that is sent now will see to. */
  get mark(): number {
    return this.#answered;
  }

  get isOwing(): boolean {
    return this.#answered > this.#flushed;
  }

  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** A write was answered that is not durable. */
  owe(): void {
    this.#answered += 1;
  }

  /** A flush has gone well that was sent at `mark`. */
  settle(mark: number): void {
    this.#flushed = Math.max(this.#flushed, mark);
  }

  /** The server is lost. Answers whether writes may be lost with it. */
  lose(): boolean {
    if (this.isOwing) this.#hasLost = true;
    return this.isOwing;
  }
}
