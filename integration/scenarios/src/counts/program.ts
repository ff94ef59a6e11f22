import type { Cell, Guard, Scenario, World } from "@blkstack/explorer";
import { type Access, AccessMode, type Task } from "@blkstack/task";

/** Looks on as the tasks of one run announce their steps, each with all that it will use. */
export interface StepObserver {
  announced(walker: Walker, uses: readonly Access[], guard: Guard | undefined): void;
  /** The step that was announced last begins; all up to the next call belongs to it. */
  taken(walker: Walker): void;
  ended(walker: Walker): void;
}

/** One task of a program: takes its steps, and knows how far it is. */
export class Walker {
  /** How far the task is: equal when what remains of it, up to the values of cells, is equal. */
  at = 0;
  isDone = false;
  readonly isService: boolean;
  readonly #world: World;
  readonly #task: Task;
  readonly #observer: StepObserver | undefined;

  constructor(world: World, task: Task, role: { isService: boolean; observer?: StepObserver }) {
    this.#world = world;
    this.#task = task;
    this.isService = role.isService;
    this.#observer = role.observer;
  }

  get name(): string {
    return this.#task.name;
  }

  async step(access: Access, guard?: Guard, ...more: readonly Access[]): Promise<void> {
    this.#observer?.announced(this, [access, ...more], guard);
    await this.#world.step(this.#task, access, guard);
    this.#observer?.taken(this);
    for (const use of more) this.#world.scheduler.touch(use);
    this.at += 1;
  }

  async lock(lock: Cell): Promise<void> {
    await this.step(lock.use(AccessMode.Acquire, "lock"), () => lock.value === 0);
    lock.value = 1;
  }

  async unlock(lock: Cell): Promise<void> {
    await this.step(lock.use(AccessMode.Write, "unlock"));
    lock.value = 0;
  }

  async take(pool: Cell): Promise<void> {
    await this.step(pool.use(AccessMode.Acquire, "take from"), () => pool.value > 0);
    pool.value -= 1;
  }

  /** `mode` says whether two that give back commute. */
  async give(pool: Cell, mode: AccessMode = AccessMode.Release): Promise<void> {
    await this.step(pool.use(mode, "give to"));
    pool.value += 1;
  }

  async write(cell: Cell, value = 1): Promise<void> {
    await this.step(cell.use(AccessMode.Write, "write"));
    cell.value = value;
  }

  async read(cell: Cell): Promise<number> {
    await this.step(cell.use(AccessMode.Read, "read"));
    return cell.value;
  }

  async until(cell: Cell, holds: (value: number) => boolean, ...more: Access[]): Promise<void> {
    await this.step(cell.use(AccessMode.Read, "wait for"), () => holds(cell.value), ...more);
  }
}

export async function repeat(times: number, body: () => Promise<void>): Promise<void> {
  for (let time = 0; time < times; time += 1) await body();
}

/** One run of a program, and what there is to know of its state. */
export class Program {
  readonly world: World;
  readonly #cells: Cell[] = [];
  readonly #walkers: Walker[] = [];
  readonly #observer: StepObserver | undefined;
  #isWrong: () => boolean = () => false;

  constructor(world: World, observer?: StepObserver) {
    this.world = world;
    this.#observer = observer;
  }

  cell(label: string, value = 0): Cell {
    const cell = this.world.cell(label, value);
    this.#cells.push(cell);
    return cell;
  }

  task(name: string, body: (walker: Walker) => Promise<void>): void {
    this.world.spawn(name, (task) => this.#walk(task, body, false), { startsAtFirstStep: true });
  }

  /** A task that need not come to its end. */
  service(name: string, body: (walker: Walker) => Promise<void>): void {
    this.world.scheduler.spawn(name, (task) => this.#walk(task, body, true));
  }

  mustNot(isWrong: () => boolean): void {
    this.#isWrong = isWrong;
    this.world.atEnd(() => (isWrong() ? ["wrong"] : []));
  }

  /** Equal when nobody could tell two states apart. */
  state(): string {
    let text = "";
    for (const { value } of this.#cells) text += `${String(value)},`;
    for (const { at } of this.#walkers) text += `${String(at)};`;
    return text;
  }

  /** Whether the program's own check would complain, were these the values of its cells. */
  isWrongWith(values: readonly number[]): boolean {
    for (const [index, cell] of this.#cells.entries()) cell.value = values[index] ?? 0;
    return this.#isWrong();
  }

  /** Of a state in which nobody can go on: whether it is wrong, or somebody has not ended. */
  get isBad(): boolean {
    return this.#isWrong() || this.#walkers.some((walker) => !walker.isService && !walker.isDone);
  }

  async #walk(
    task: Task,
    body: (walker: Walker) => Promise<void>,
    isService: boolean,
  ): Promise<void> {
    const observer = this.#observer;
    const role = observer === undefined ? { isService } : { isService, observer };
    const walker = new Walker(this.world, task, role);
    this.#walkers.push(walker);
    await body(walker);
    walker.isDone = true;
    observer?.ended(walker);
  }
}

export type Build = (program: Program) => void;

/** A scenario of one variant; `seen` is handed each run's program. */
export function programScenario(
  build: Build,
  seen: (program: Program) => void,
  observer?: StepObserver,
): Scenario {
  return {
    name: "program",
    summary: "tasks that share numbers",
    variants: { program: { expect: "ok", summary: "the only one" } },
    build(world) {
      const program = new Program(world, observer);
      build(program);
      seen(program);
    },
  };
}
