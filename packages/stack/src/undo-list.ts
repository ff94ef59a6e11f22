import type { Awaitable } from "@blkstack/task";

/** What to do to be as before: steps, to be taken in reverse, each once. */
export class UndoList {
  readonly #steps: (() => Awaitable<void>)[] = [];

  add(step: () => Awaitable<void>): void {
    this.#steps.push(step);
  }

  /** Takes all steps, whatever some throw; then throws the first of that. */
  async undo(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
