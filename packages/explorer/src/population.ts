import { type Actor, ExploredTask, type PendingInterrupt } from "./actor.ts";

/** Who takes part in a run: the tasks in the order of their birth, and the interrupts pending. */
export class Population {
  readonly tasks: ExploredTask[] = [];
  readonly interrupts: PendingInterrupt[] = [];
  readonly #enabled: Actor[] = [];

  /** `name`, or with a number behind it if somebody has it. */
  freeName(name: string): string {
    let unique = name;
    for (let copy = 2; this.#isTaken(unique); copy += 1) unique = `${name}#${String(copy)}`;
    return unique;
  }

  #isTaken(name: string): boolean {
    for (const task of this.tasks) if (task.name === name) return true;
    return false;
  }

  /**
   * Who can take the next step: the one that ran last first, then tasks in the order of their
   * birth, then interrupts. The same array each time, to be read before the next call.
   */
  enabledAfter(last: Actor | null): Actor[] {
    const enabled = this.#enabled;
    let count = 0;
    if (last instanceof ExploredTask && last.isEnabled) enabled[count++] = last;
    for (const task of this.tasks) if (task !== last && task.isEnabled) enabled[count++] = task;
    for (const interrupt of this.interrupts) enabled[count++] = interrupt;
    // Emptied and filled anew it would be allocated anew, in every step.
    if (enabled.length !== count) enabled.length = count;
    return enabled;
  }

  /** An interrupt is handled once; a timer was never among those raised. */
  take(interrupt: PendingInterrupt): void {
    const index = this.interrupts.indexOf(interrupt);
    if (index >= 0) this.interrupts.splice(index, 1);
  }
}
