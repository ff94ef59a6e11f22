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
  readonly #run: Standing & { readonly audience: Audience };
  #watch: LoopWatch | null = null;

  constructor(options: RunOptions, run: Standing & { readonly audience: Audience }) {
    this.#options = options;
    this.#run = run;
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
    last: Actor | null,
    enabled: Actor[],
    at: { readonly steps: number; readonly isTimerArmed: boolean },
  ): Lasso | null {
    const { known, recorder } = this.#options;
    if (this.#watch === null) {
      const { tasks, interrupts, time, random, audience } = this.#run;
      this.#watch = new LoopWatch({ tasks, interrupts, time, random, ...known }, this.looksFrom);
      audience.add(this.#watch);
    }
    const lasso = this.#watch.look(last, enabled, { ...at, recorder });
    this.looksFrom = this.#watch.looksFrom;
    return lasso;
  }
}
