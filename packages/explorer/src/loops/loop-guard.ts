import type { Actor, ExploredTask } from "../actor.ts";
import type { Audience } from "../audience.ts";
import type { RunOptions } from "../run-options.ts";
import type { Lasso } from "./lasso.ts";
import { LOOKS_FROM, LoopWatch, REPEATS } from "./loop-watch.ts";
import type { Standing } from "./state-key.ts";

/** Has a run looked at that begins to look as if it went round in circles; no other one. */
export class LoopGuard {
  /** The step from which on `look` is to be called. */
  looksFrom: number = LOOKS_FROM;
  readonly #options: RunOptions;
  readonly #audience: Audience;
  #watch: LoopWatch | null = null;

  constructor(options: RunOptions, audience: Audience) {
    this.#options = options;
    this.#audience = audience;
  }

  /** Whether somebody was made to wait who only went round in circles. */
  get hasCut(): boolean {
    return this.#watch?.hasCut === true;
  }

  /** Whether a loop is being followed to see whether it ends: nobody chooses. */
  get isConfirming(): boolean {
    return this.#watch?.isConfirming === true;
  }

  /** What follows depends on what no key shows. */
  forget(): void {
    this.#watch?.forget();
  }

  /** A task takes the step that it announced. */
  takes(task: ExploredTask, steps: number): void {
    if (task.access !== task.lastTaken) {
      task.lastTaken = task.access;
      task.repeats = 0;
      return;
    }
    task.repeats += 1;
    if (task.repeats !== REPEATS || steps >= this.looksFrom) return;
    this.looksFrom = steps;
    this.#watch?.looksAgain(steps);
  }

  /** As `LoopWatch.look`. */
  look(
    standing: Standing,
    last: Actor | null,
    enabled: Actor[],
    at: { readonly steps: number; readonly isTimerArmed: boolean },
  ): Lasso | null {
    const { known, recorder } = this.#options;
    if (this.#watch === null) {
      this.#watch = new LoopWatch({ ...standing, ...known }, this.looksFrom);
      this.#audience.add(this.#watch);
    }
    const lasso = this.#watch.look(last, enabled, { ...at, recorder });
    this.looksFrom = this.#watch.looksFrom;
    return lasso;
  }
}
