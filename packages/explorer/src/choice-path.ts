/** Thrown when a scenario does not do the same when given the same choices. */
export class NondeterminismError extends Error {
  override readonly name = "NondeterminismError";
}

/** The choices that a run has made so far, each with how many there were, as plain data. */
export interface ChoicePrefix {
  readonly taken: readonly number[];
  readonly counts: readonly number[];
}

/** Where a search stands between two runs. */
export interface ChoicePathState extends ChoicePrefix {
  /** Whether the next run is a first one. */
  readonly isFresh: boolean;
}

/** The choices that a search which runs again from the start goes down next. */
export class ChoicePath {
  readonly #taken: number[];
  readonly #counts: number[];
  /** Choices before this one stay as they are: what else they could be is somebody else's. */
  readonly #fixed: number;
  #depth = -1;

  constructor(prefix: ChoicePrefix = { taken: [], counts: [] }) {
    this.#taken = [...prefix.taken];
    this.#counts = [...prefix.counts];
    this.#fixed = prefix.taken.length;
  }

  /** Whether the run still repeats what the one before did. */
  get isRepeating(): boolean {
    return this.#depth < this.#taken.length;
  }

  /** How many choices the run at hand has made. */
  get depth(): number {
    return this.#depth;
  }

  /** The choices of the run at hand. */
  prefix(): ChoicePrefix {
    return { taken: [...this.#taken], counts: [...this.#counts] };
  }

  /** To be called between two runs. */
  save(): ChoicePathState {
    return { ...this.prefix(), isFresh: this.#depth < 0 };
  }

  restore({ taken, counts, isFresh }: ChoicePathState): void {
    this.#taken.splice(0, Infinity, ...taken);
    this.#counts.splice(0, Infinity, ...counts);
    this.#depth = isFresh ? -1 : taken.length;
  }

  /**
   * How much of all there is to choose lies behind, if at each choice every alternative led to
   * equally much: the weight of the ways that were gone, of 1.
   */
  get share(): number {
    let [behind, weight] = [0, 1];
    for (let at = this.#fixed; at < this.#taken.length; at += 1) {
      weight /= this.#counts[at] ?? 1;
      behind += weight * (this.#taken[at] ?? 0);
    }
    // The last way itself was gone, unless none was.
    return this.#depth < 0 ? 0 : behind + weight;
  }

  /**
   * Goes back to the start, with the last choice that has an alternative left changed to it.
   * False when none has: then the next time is a first time again.
   */
  rewind(): boolean {
    const isFirst = this.#depth < 0;
    this.#depth = 0;
    if (isFirst) return true;
    for (let last = this.#taken.length - 1; last >= this.#fixed; last -= 1) {
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
