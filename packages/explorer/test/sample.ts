import type { Task } from "@blkstack/task";
import { ExploredTask, TaskState } from "../src/actor.ts";
import type { Cell } from "../src/cell.ts";
import { conditionsOf } from "../src/conditions.ts";
import { exhaustive, type Strategy } from "../src/strategy.ts";
import { RunWorld } from "../src/world.ts";
import type { Model, ModelOp } from "./models.ts";

/** A task of a model, and the step that it is at. */
interface Walker {
  readonly task: ExploredTask;
  readonly ops: readonly ModelOp[];
  at: number;
}

/**
 * How many of so many runs of a model get stuck. What `explore` would count, but with the steps
 * called one after the other, without promises: for what must be drawn some hundred thousand times.
 */
export function countStuck(build: Model, strategy: Strategy, runs: number): number {
  const conditions = conditionsOf();
  const plan = { strategy: exhaustive(), states: null, seed: 1, stepsMax: 1, recorder: null };
  const world = new RunWorld({ ...plan, conditions }, []);
  const cells: { readonly cell: Cell; readonly initial: number }[] = [];
  const walkers: Walker[] = [];
  const add = (name: string, ops: readonly ModelOp[]): void => {
    walkers.push({ task: explored(world.spawn(name, () => undefined)), ops, at: 0 });
  };
  build({
    cell(label, initial = 0) {
      const cell = world.cell(label, initial);
      cells.push({ cell, initial });
      return cell;
    },
    task: add,
    service: add,
    choose: () => {
      throw new Error("a model that asks for outcomes must be explored");
    },
    atEnd: () => {
      throw new Error("a model that checks its end must be explored");
    },
  });
  let stuck = 0;
  for (let run = 0; run < runs; run += 1) {
    for (const { cell, initial } of cells) cell.value = initial;
    for (const walker of walkers) goTo(walker, 0);
    strategy.beginRun();
    walk(walkers, strategy);
    if (walkers.some(({ task }) => task.state !== TaskState.Done)) stuck += 1;
  }
  return stuck;
}

function walk(walkers: readonly Walker[], strategy: Strategy): void {
  let last: Walker | null = null;
  for (;;) {
    const enabled: Walker[] = last?.task.isEnabled === true ? [last] : [];
    for (const walker of walkers) {
      if (walker !== last && walker.task.isEnabled) enabled.push(walker);
    }
    const tasks = enabled.map(({ task }) => task);
    const chosen = enabled[enabled.length > 1 ? strategy.chooseActor(tasks) : 0];
    if (chosen === undefined) return;
    strategy.stepTaken?.(chosen.task);
    const next = chosen.ops[chosen.at]?.apply() ?? "end";
    if (next === "end") goTo(chosen, chosen.ops.length);
    else goTo(chosen, chosen.at + (next === "skip" ? 2 : 1));
    last = chosen;
  }
}

function goTo(walker: Walker, at: number): void {
  walker.at = at;
  const { task, ops } = walker;
  const op = ops[at];
  task.state = op === undefined ? TaskState.Done : TaskState.Ready;
  if (op === undefined) return;
  task.access = op.access;
  task.guard = op.guard ?? null;
}

function explored(task: Task): ExploredTask {
  if (!(task instanceof ExploredTask)) throw new TypeError("not a task of the explorer");
  return task;
}
