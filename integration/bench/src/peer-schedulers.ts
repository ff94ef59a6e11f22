import fc from "fast-check";
import type { BenchProgram, Steps } from "./explored-programs.ts";

/** Runs a program so often with the scheduler of fast-check; answers how many runs did not end. */
export async function runWithFastCheck(program: BenchProgram, runs: number): Promise<number> {
  let stuck = 0;
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const shared = program.numbers.map((value) => ({ value, waiters: [] as (() => void)[] }));
    let ended = 0;
    for (const body of program.tasks) {
      void body(new ScheduledSteps(scheduler, shared)).then(() => {
        ended += 1;
      });
    }
    await scheduler.waitIdle();
    if (ended < program.tasks.length) stuck += 1;
  });
  await fc.assert(property, { numRuns: runs, seed: 1 });
  return stuck;
}

interface Shared {
  value: number;
  waiters: (() => void)[];
}

class ScheduledSteps implements Steps {
  readonly #scheduler: fc.Scheduler;
  readonly #shared: readonly Shared[];

  constructor(scheduler: fc.Scheduler, shared: readonly Shared[]) {
    this.#scheduler = scheduler;
    this.#shared = shared;
  }

  async take(number: number): Promise<void> {
    const shared = await this.#step(number);
    await this.#until(shared, () => shared.value > 0);
    shared.value -= 1;
  }

  async give(number: number): Promise<void> {
    const shared = await this.#step(number);
    shared.value += 1;
    wakeAll(shared);
  }

  async wake(number: number): Promise<void> {
    const shared = await this.#step(number);
    shared.value = 0;
    wakeAll(shared);
  }

  async sleep(number: number): Promise<void> {
    const shared = await this.#step(number);
    shared.value = 1;
    await this.#until(shared, () => shared.value === 0);
  }

  async read(number: number): Promise<number> {
    return (await this.#step(number)).value;
  }

  async #step(number: number): Promise<Shared> {
    const shared = this.#shared[number];
    if (shared === undefined) throw new RangeError(`no number ${String(number)}`);
    await this.#scheduler.schedule(Promise.resolve(), "step");
    return shared;
  }

  async #until(shared: Shared, holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        shared.waiters.push(resolve);
      });
    }
  }
}

function wakeAll(shared: Shared): void {
  const { waiters } = shared;
  shared.waiters = [];
  for (const wake of waiters) wake();
}
