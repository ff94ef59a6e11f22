import type { Xorshift } from "../strategy.ts";
import type { ExploredTask, PendingInterrupt } from "../actor.ts";
import type { VirtualTime } from "../virtual-time.ts";

/** What a run stands at between two steps. */
export interface Standing {
  readonly tasks: readonly ExploredTask[];
  readonly interrupts: readonly PendingInterrupt[];
  readonly time: VirtualTime;
  readonly random: Xorshift;
}

/**
 * Where everybody stands, as a text: equal when nothing has come of the steps in between, except in
 * the variables of a task's own. What time it is does not count, only how far off the timers are.
 */
export class StateKey {
  readonly #ids = new WeakMap<object, number>();
  readonly #held = new Set<{ blockers(): readonly object[] }>();
  #next = 0;

  /** From here on, who holds this is part of the key. */
  watch(lock: { blockers(): readonly object[] }): void {
    this.#held.add(lock);
  }

  of({ tasks, interrupts, time, random }: Standing, shared: string): string {
    let text = `${shared};${String(random.state)};`;
    for (const { state, access, waitingFor, atomicDepth } of tasks) {
      const on = waitingFor ?? access.object;
      text += `${String(state)}/${access.label}/${this.#id(on)}/${String(atomicDepth)},`;
    }
    for (const { source, work } of interrupts) text += `;${this.#id(source)}:${this.#id(work)}`;
    const nowMs = time.nowMs();
    for (const timer of time.armed) text += `;${String(timer.atMs - nowMs)} ${timer.label}`;
    for (const lock of this.#held) {
      text += `;${lock
        .blockers()
        .map((each) => this.#id(each))
        .join()}`;
    }
    return text;
  }

  #id(thing: unknown): string {
    if (typeof thing !== "object" || thing === null) return String(thing);
    let id = this.#ids.get(thing);
    if (id === undefined) {
      id = this.#next += 1;
      this.#ids.set(thing, id);
    }
    return `#${String(id)}`;
  }
}
