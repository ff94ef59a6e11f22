import { setImmediate } from "node:timers";

/** Has something to do once per turn of the event loop. */
export interface TurnEndWork {
  isDue: boolean;
  /** Not in interrupt context. */
  atTurnEnd(): void;
}

/**
 * Collects what completions of one turn of the event loop leave to do, so that replies which
 * become ready together leave together. No timer and no choice of anybody's: sockets are outside
 * of what can be explored, and so is when they are written.
 */
export class TurnEnd {
  #due: TurnEndWork[] = [];
  #running: TurnEndWork[] = [];
  readonly #run = (): void => {
    const work = this.#due;
    this.#due = this.#running;
    this.#running = work;
    for (const item of work) {
      item.isDue = false;
      item.atTurnEnd();
    }
    work.length = 0;
  };

  /** Safe in interrupt context. */
  schedule(work: TurnEndWork): void {
    if (work.isDue) return;
    work.isDue = true;
    if (this.#due.length === 0) setImmediate(this.#run);
    this.#due.push(work);
  }
}
