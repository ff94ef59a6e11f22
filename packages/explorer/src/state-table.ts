import { type Access, AccessMode } from "@blkstack/task";
import { Cell } from "./cell.ts";

/** Two numbers below this make one exact key. */
const PAIR_BASE = 2 ** 26;
const MODE_COUNT = 4;
/** What is not told apart any more, once the table is full; equal to nothing that is in the table. */
const UNKNOWN = PAIR_BASE - 1;

/** The last uses of an object: what the next use of it comes after. */
interface Version {
  lastWrite: number;
  reads: number[];
  releases: number[];
}

/**
 * Gives the same number to what is the same: a task's history is what it did, one use of a shared
 * object after the other, and for each use the histories of the uses that it came after. Two
 * schedules that bring every task to the same history differ only in the order of steps that do
 * not touch each other, and everything that follows is the same for both.
 *
 * The table lives as long as the search; `forRun` begins a run. Numbers are exact, never hashed.
 */
export class StateTable {
  readonly #pairs = new Map<number, number>();
  readonly #texts = new Map<string, number>();
  readonly #seen = new Set<string>();
  #versions = new Map<object, Version>();
  #summaries = new Map<object, () => string | number>();
  #next = 1;
  readonly #statesMax: number;

  /**
   * With `statesMax` states the table is full: from then on states that are in it are still
   * recognised, and all others taken for new ones, which costs runs but overlooks nothing.
   */
  constructor(statesMax?: number) {
    this.#statesMax = statesMax ?? Infinity;
  }

  get isFull(): boolean {
    return this.#seen.size >= this.#statesMax;
  }

  get stateCount(): number {
    return this.#seen.size;
  }

  /** Whether this run has used cells only, so that their values are all there is. */
  get isAllInCells(): boolean {
    return this.#versions.size === 0;
  }

  forRun(): void {
    this.#versions = new Map();
    this.#summaries = new Map();
  }

  /** From here on in this run, `shows` is what using `object` tells. */
  summarise(object: object, shows: () => string | number): void {
    this.#summaries.set(object, shows);
  }

  /** Whether this state is new. */
  visit(key: string): boolean {
    if (this.isFull) return !this.#seen.has(key);
    const before = this.#seen.size;
    this.#seen.add(key);
    return this.#seen.size > before;
  }

  /** The history of an actor with this name that has done nothing yet. */
  begin(name: string): number {
    return this.#text(name);
  }

  /** `history`, and then this. */
  then(history: number, what: number): number {
    const key = history * PAIR_BASE + what;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    if (this.isFull) return UNKNOWN;
    const number = this.#number();
    this.#pairs.set(key, number);
    return number;
  }

  /** `history`, and then this use of an object. */
  use(history: number, access: Access): number {
    const { object, mode } = access;
    if (object instanceof Cell) return this.#useCell(history, object, mode);
    const summary = this.#summaries.get(object);
    if (summary !== undefined) {
      const shown = mode === AccessMode.Release ? "" : String(summary());
      return this.then(this.then(history, mode), this.#text(shown));
    }
    let version = this.#versions.get(object);
    if (version === undefined) {
      version = { lastWrite: 0, reads: [], releases: [] };
      this.#versions.set(object, version);
    }
    const isRelease = mode === AccessMode.Release;
    const isRead = mode === AccessMode.Read;
    // Uses that commute with this one are not part of what it came after.
    const after = this.#text(
      `${String(version.lastWrite)};${isRead ? "" : list(version.reads)};` +
        (isRelease ? "" : list(version.releases)),
    );
    const event = this.then(this.then(history, mode), after);
    if (isRead) version.reads.push(event);
    else if (isRelease) version.releases.push(event);
    else {
      version.lastWrite = event;
      version.reads = [];
      version.releases = [];
    }
    return event;
  }

  /** A cell's value is all that a reader learns, and nobody else learns anything. */
  #useCell(history: number, cell: Cell, mode: AccessMode): number {
    const seen = mode === AccessMode.Read ? MODE_COUNT + this.#text(String(cell.value)) : mode;
    return this.then(history, seen);
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.isFull) return UNKNOWN;
    const number = this.#number();
    this.#texts.set(text, number);
    return number;
  }

  #number(): number {
    this.#next += 1;
    if (this.#next >= UNKNOWN) throw new RangeError("the table of states is full");
    return this.#next;
  }
}

function list(events: readonly number[]): string {
  return events.length < 2 ? String(events[0] ?? "") : [...events].sort((a, b) => a - b).join(",");
}
