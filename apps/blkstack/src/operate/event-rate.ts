/** So many of a kind may come at once, */
const BURST = 20;
/** and one more each so many milliseconds. */
const REFILL_MS = 1000;
/** Kinds are ours, not the clients'; should that ever change, memory is still bounded. */
const KINDS_MAX = 256;

interface Kind {
  tokens: number;
  filledMs: number;
  suppressed: number;
}

/** Bounds how often events of a kind are told, so that whoever causes them cannot fill a disk. */
export class EventRate {
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, Kind>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Null: not now. Else how many of the kind were not told since the last one that was. */
  admit(name: string): number | null {
    const nowMs = this.#nowMs();
    const kind = this.#kindOf(name, nowMs);
    const refilled = Math.floor((nowMs - kind.filledMs) / REFILL_MS);
    kind.tokens = Math.min(BURST, kind.tokens + refilled);
    kind.filledMs += refilled * REFILL_MS;
    if (kind.tokens === 0) {
      kind.suppressed += 1;
      return null;
    }
    kind.tokens -= 1;
    const { suppressed } = kind;
    kind.suppressed = 0;
    return suppressed;
  }

  #kindOf(name: string, nowMs: number): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      if (this.#kinds.size >= KINDS_MAX) this.#kinds.clear();
      kind = { tokens: BURST, filledMs: nowMs, suppressed: 0 };
      this.#kinds.set(name, kind);
    }
    return kind;
  }
}
