import { type Cell, defineScenario, type Scenario, type World } from "@blkstack/explorer";
import { AccessMode, type Task } from "@blkstack/task";

/** What a task of a bench program does, one step each; whoever runs it says how. */
export interface Steps {
  /** Takes one from a number, once it is above 0. */
  take(number: number): Promise<void>;
  /** Adds one to a number. */
  give(number: number): Promise<void>;
  /** Ends the wait of all who `sleep` on a number. */
  wake(number: number): Promise<void>;
  /** Counts itself as asleep on a number, and a step later goes on, once it was woken. */
  sleep(number: number): Promise<void>;
  /** What the number is now. */
  read(number: number): Promise<number>;
}

/** Tasks that share numbers, written once for every scheduler. */
export interface BenchProgram {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly tasks: readonly ((steps: Steps) => Promise<void>)[];
}

export function philosophers(count: number): BenchProgram {
  return {
    name: `phil(${String(count)})`,
    numbers: Array.from({ length: count }, () => 1),
    tasks: Array.from({ length: count }, (_, left) => async (steps: Steps) => {
      const right = (left + 1) % count;
      await steps.take(left);
      await steps.take(right);
      await steps.give(right);
      await steps.give(left);
    }),
  };
}

export function mutex(tasks: number): BenchProgram {
  return {
    name: `mutex(${String(tasks)})`,
    numbers: [1],
    tasks: Array.from({ length: tasks }, () => async (steps: Steps) => {
      await steps.take(0);
      await steps.give(0);
    }),
  };
}

/** Each takes two of a set of two, and submits them when it has both; each comes back by itself. */
export function bioSplit(): BenchProgram {
  const submitter = (first: number) => async (steps: Steps) => {
    await steps.take(0);
    await steps.take(0);
    await steps.give(first);
    await steps.give(first + 1);
  };
  const completion = (piece: number) => async (steps: Steps) => {
    await steps.take(piece);
    await steps.give(0);
  };
  return {
    name: "bioSplit(2,2,2)",
    numbers: [2, 0, 0, 0, 0],
    tasks: [submitter(1), submitter(3), ...[1, 2, 3, 4].map(completion)],
  };
}

export function lostWakeup(): BenchProgram {
  return {
    name: "lost wake-up",
    numbers: [0, 0],
    tasks: [
      async (steps) => {
        if ((await steps.read(0)) === 0) await steps.sleep(1);
      },
      async (steps) => {
        await steps.give(0);
        await steps.wake(1);
      },
    ],
  };
}

/** Two producers and two consumers move two items each through a buffer of two. */
export function buffer(): BenchProgram {
  const mover = (from: number, to: number) => async (steps: Steps) => {
    for (let item = 0; item < 2; item += 1) {
      await steps.take(from);
      await steps.give(to);
    }
  };
  return {
    name: "buffer(2,2,2,2)",
    numbers: [2, 0],
    tasks: [mover(0, 1), mover(0, 1), mover(1, 0), mover(1, 0)],
  };
}

/** The program as tasks of the explorer. */
export function scenarioOf(program: BenchProgram): Scenario {
  return defineScenario({
    name: "bench",
    summary: program.name,
    variants: { program: { expect: "ok", summary: "the only one" } },
    build(world) {
      const cells = program.numbers.map((value, i) => world.cell(`number ${String(i)}`, value));
      for (const [index, body] of program.tasks.entries()) {
        world.spawn(`t${String(index)}`, (task) => body(new ExploredSteps(world, task, cells)), {
          startsAtFirstStep: true,
        });
      }
    },
  });
}

class ExploredSteps implements Steps {
  readonly #world: World;
  readonly #task: Task;
  readonly #cells: readonly Cell[];

  constructor(world: World, task: Task, cells: readonly Cell[]) {
    this.#world = world;
    this.#task = task;
    this.#cells = cells;
  }

  async take(number: number): Promise<void> {
    const cell = this.#cell(number);
    await this.#world.step(this.#task, cell.use(AccessMode.Acquire, "take"), () => cell.value > 0);
    cell.value -= 1;
  }

  async give(number: number): Promise<void> {
    const cell = this.#cell(number);
    await this.#world.step(this.#task, cell.use(AccessMode.Release, "give"));
    cell.value += 1;
  }

  async wake(number: number): Promise<void> {
    const cell = this.#cell(number);
    await this.#world.step(this.#task, cell.use(AccessMode.Write, "wake"));
    cell.value = 0;
  }

  async sleep(number: number): Promise<void> {
    const cell = this.#cell(number);
    await this.#world.step(this.#task, cell.use(AccessMode.Write, "sleep"));
    cell.value = 1;
    await this.#world.step(this.#task, cell.use(AccessMode.Read, "go on"), () => cell.value === 0);
  }

  async read(number: number): Promise<number> {
    const cell = this.#cell(number);
    await this.#world.step(this.#task, cell.use(AccessMode.Read, "read"));
    return cell.value;
  }

  #cell(number: number): Cell {
    const cell = this.#cells[number];
    if (cell === undefined) throw new RangeError(`no number ${String(number)}`);
    return cell;
  }
}
