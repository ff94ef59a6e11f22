import { Task, type Waitable } from "@blkstack/task";
import type { RunView, Vocabulary } from "../vocabulary.ts";
import type { Place } from "./lock-order.ts";

/** A task asked a reserve for a second element while the first could not come back. */
export interface SecondElement {
  readonly site: string;
  /** Where the first one was: `parked on alice's own bio_list[0]`. */
  readonly whereFirst: string;
  readonly place: Place;
}

/**
 * Looks for tasks that ask a reserve for a second element while they themselves keep the first from
 * coming back. As many of them as there are elements, and none ever gets its second.
 */
export class Reserves {
  readonly #seconds = new Map<string, SecondElement>();
  readonly #vocabularies: readonly Vocabulary[];
  readonly #takers = new Map<object, { readonly pool: object; readonly task: Task }>();
  #view: RunView | null = null;
  #run = 0;

  constructor(vocabularies: readonly Vocabulary[]) {
    this.#vocabularies = vocabularies;
  }

  /** By the label of the reserve. */
  get seconds(): ReadonlyMap<string, SecondElement> {
    return this.#seconds;
  }

  beginRun(view: RunView, run: number): void {
    this.#view = view;
    this.#run = run;
    if (this.#takers.size > 0) this.#takers.clear();
  }

  taken(pool: object, element: object, task: Task): void {
    this.#takers.set(element, { pool, task });
  }

  givenBack(_pool: object, element: object): void {
    this.#takers.delete(element);
  }

  asked(pool: object, task: Task, site: string): void {
    if (this.#takers.size === 0 || this.#seconds.has(site)) return;
    const whereFirst = this.whereFirst(pool, task);
    if (whereFirst === null) return;
    const place = { actor: task.name, step: `alloc from ${site}`, run: this.#run };
    this.#seconds.set(site, { site, whereFirst, place });
  }

  /** Where an element of `pool` is that `task` keeps from coming back; null: there is none. */
  whereFirst(pool: object, task: Task): string | null {
    for (const [element, taken] of this.#takers) {
      if (taken.pool !== pool || taken.task !== task) continue;
      const where = this.#isNowhere(element)
        ? `in the hands of ${task.name}`
        : this.#keptWhere(element, task);
      if (where !== null) return where;
    }
    return null;
  }

  /** What nobody knows of is still with whoever took it. */
  #isNowhere(element: object): boolean {
    const view = this.#view;
    if (view === null || this.#vocabularies.some((each) => each.name(element) !== null))
      return false;
    return !isWaitable(element) || element.blockers().length === 0;
  }

  /** Where the thing is, if only `task` can move it on; null: others can, or nobody knows. */
  #keptWhere(thing: object, task: Task): string | null {
    if (thing === task) return `in the hands of ${task.name}`;
    if (thing instanceof Task || this.#view === null) return null;
    for (const vocabulary of this.#vocabularies) {
      const where = vocabulary.whereabouts(thing, this.#view);
      if (where === null) continue;
      if (where.isMoving || where.next.length === 0) return null;
      const isKept = where.next.every((next) => this.#keptWhere(next, task) !== null);
      return isKept ? where.text : null;
    }
    const next = isWaitable(thing) ? thing.blockers() : [];
    const places = next.map((each) => this.#keptWhere(each, task));
    return places.every((place) => place !== null) ? (places[0] ?? null) : null;
  }
}

function isWaitable(thing: object): thing is Waitable {
  return "blockers" in thing && typeof thing.blockers === "function";
}
