/** Thrown when a scenario does not do the same when given the same choices. */
export class NondeterminismError extends Error {
  override readonly name = "NondeterminismError";
}

/** The choices that a search which runs again from the start goes down next. */
export class ChoicePath {
  readonly #taken: number[] = [];
  readonly #counts: number[] = [];
  #depth = -1;

  /** Whether the run still repeats what the one before did. */
  get isRepeating(): boolean {
    return this.#depth < this.#taken.length;
  }

  /**
   * Goes back to the start, with the last choice that has an alternative left changed to it.
   * False when none has: then the next time is a first time again.
   */
  rewind(): boolean {
    const isFirst = this.#depth < 0;
    this.#depth = 0;
    if (isFirst) return true;
    for (let last = this.#taken.length - 1; last >= 0; last -= 1) {
      const next = (this.#taken[last] ?? 0) + 1;
      if (next < (this.#counts[last] ?? 0)) {
        this.#taken[last] = next;
        return true;
      }
      this.#taken.pop();
      this.#counts.pop();
    }
    this.#depth = -1;
    return false;
  }

  /** Throws a `NondeterminismError` when the choice being repeated is another one now. */
  choose(count: number): number {
    const depth = this.#depth;
    this.#depth += 1;
    const taken = this.#taken[depth];
    if (taken === undefined) {
      this.#taken.push(0);
      this.#counts.push(count);
      return 0;
    }
    if (this.#counts[depth] !== count) {
      throw new NondeterminismError(
        `choice ${String(depth + 1)} had ${String(this.#counts[depth])} alternatives and, ` +
          `after the same choices, now has ${String(count)}`,
      );
    }
    return taken;
  }
}
