import { type Access, AccessMode } from "@blkstack/task";
import type { Guard } from "../src/actor.ts";
import type { Cell } from "../src/cell.ts";
import type { Finding } from "../src/finding.ts";
import type { Scenario, World } from "../src/scenario.ts";

/** Where a task of a model goes on after a step. */
export type Next = "next" | "skip" | "end";

/** One step of a model: announced, taken once the guard holds, and then done in one go. */
export interface ModelOp {
  readonly access: Access;
  readonly guard: Guard | undefined;
  readonly apply: () => Next;
}

/** What a model is described with. */
interface ModelBuilder {
  cell(label: string, value?: number): Cell;
  task(name: string, ops: readonly ModelOp[]): void;
  /** A task that serves the others, and need not come to its end. */
  service(name: string, ops: readonly ModelOp[]): void;
  choose(what: string, count: number): number;
  atEnd(check: () => Iterable<string | Finding>): void;
}

export type Model = (builder: ModelBuilder) => void;

/** A scenario of one variant that runs a model's tasks, step by step. */
export function model(build: Model): Scenario {
  return {
    name: "model",
    summary: "guarded steps on cells",
    variants: { model: { expect: "ok", summary: "the only one" } },
    build(world) {
      build({
        cell: (label, value) => world.cell(label, value),
        choose: (what, count) => world.scheduler.choose(what, count),
        atEnd: (check) => {
          world.atEnd(check);
        },
        service(name, ops) {
          world.scheduler.spawn(name, (task) => runOps(world, task, ops));
        },
        task(name, ops) {
          world.spawn(name, (task) => runOps(world, task, ops), { startsAtFirstStep: true });
        },
      });
    },
  };
}

async function runOps(
  world: World,
  task: Parameters<World["step"]>[0],
  ops: readonly ModelOp[],
): Promise<void> {
  for (let index = 0; index < ops.length; index += 1) {
    const op = ops[index];
    if (op === undefined) return;
    await world.step(task, op.access, op.guard);
    const next = op.apply();
    if (next === "end") return;
    if (next === "skip") index += 1;
  }
}

function op(access: Access, guard: Guard | undefined, apply: () => unknown): ModelOp {
  return {
    access,
    guard,
    apply() {
      apply();
      return "next";
    },
  };
}

/** The kinds of steps that the models are made of. */
export const Op = {
  lock: (cell: Cell): ModelOp =>
    op(
      cell.use(AccessMode.Acquire, "lock"),
      () => cell.value === 0,
      () => (cell.value = 1),
    ),
  unlock: (cell: Cell): ModelOp =>
    op(cell.use(AccessMode.Release, "unlock"), undefined, () => (cell.value = 0)),
  take: (cell: Cell): ModelOp =>
    op(
      cell.use(AccessMode.Acquire, "take from"),
      () => cell.value > 0,
      () => (cell.value -= 1),
    ),
  give: (cell: Cell): ModelOp =>
    op(cell.use(AccessMode.Release, "give to"), undefined, () => (cell.value += 1)),
  write: (cell: Cell, value: number): ModelOp =>
    op(cell.use(AccessMode.Write, "write"), undefined, () => (cell.value = value)),
  read: (verb: string, cell: Cell, apply: (seen: number) => Next): ModelOp => ({
    access: cell.use(AccessMode.Read, verb),
    guard: undefined,
    apply: () => apply(cell.value),
  }),
  always: (verb: string, cell: Cell, apply: () => unknown): ModelOp =>
    op(cell.use(AccessMode.Write, verb), undefined, apply),
  guarded: (
    verb: string,
    cell: Cell,
    guard: Guard,
    apply: () => unknown = () => undefined,
  ): ModelOp => op(cell.use(AccessMode.Acquire, verb), guard, apply),
} as const;

/**
 * Tasks that each take the pieces of a bio from one pool, and submit them only when they have all;
 * each piece comes back by itself some time after. Each handles as many bios as there are rounds.
 */
export function bioSplit(tasks: number, pieces: number, size: number, rounds = 1): Model {
  return (m) => {
    const pool = m.cell("bio_set", size);
    for (let task = 0; task < tasks; task += 1) {
      const ops: ModelOp[] = [];
      m.task(`submitter ${String(task)}`, ops);
      for (let round = 0; round < rounds; round += 1) {
        for (let piece = 0; piece < pieces; piece += 1) ops.push(Op.take(pool));
        for (let piece = 0; piece < pieces; piece += 1) {
          const name = `${String(task)}.${String(round * pieces + piece)}`;
          const issued = m.cell(`issued ${name}`);
          ops.push(Op.write(issued, 1));
          m.service(`irq ${name}`, [
            Op.guarded(
              "end",
              issued,
              () => issued.value === 1,
              () => (pool.value += 1),
            ),
          ]);
        }
      }
    }
  };
}
