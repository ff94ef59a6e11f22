import type { Task } from "@blkstack/task";
import type { PendingException } from "./pending-exception.ts";

/**
 * Has exceptions committed in the order in which they were given their chunks, whatever the order in
 * which their copies end: else a power cut would leave holes in the store that nobody finds again.
 */
export class CommitOrder {
  readonly #commit: (pending: PendingException, task: Task) => Promise<void>;
  readonly #early = new Map<number, PendingException>();
  #given = 0;
  #committed = 0;

  constructor(commit: (pending: PendingException, task: Task) => Promise<void>) {
    this.#commit = commit;
  }

  /** To be taken together with the chunk of the store. */
  nextSequence(): number {
    this.#given += 1;
    return this.#given - 1;
  }

  /** One is copied: commits it, and those that waited for it. Never in two tasks at once. */
  async ready(pending: PendingException, task: Task): Promise<void> {
    this.#early.set(pending.sequence, pending);
    for (;;) {
      const next = this.#early.get(this.#committed);
      if (next === undefined) return;
      this.#early.delete(this.#committed);
      this.#committed += 1;
      await this.#commit(next, task);
    }
  }
}
