import { AccessMode } from "@blkstack/task";
import type { Scenario } from "../src/scenario.ts";
import type { Xorshift } from "../src/strategy.ts";

/** One step on one cell: waits until the value is at least `from` and at most `to`, then adds. */
interface Move {
  readonly cell: number;
  readonly mode: AccessMode;
  readonly from: number;
  readonly to: number;
  readonly adds: number;
  /** Sets the cell instead of adding to it. */
  readonly sets: number | null;
}

export interface Moves {
  readonly cells: readonly number[];
  readonly tasks: readonly (readonly Move[])[];
}

const ANY = { from: -Infinity, to: Infinity, adds: 0, sets: null } as const;

/** Locks (cells 0, 1), a pool (2), numbers that are set, read and waited for (3, 4). */
export function randomMoves(lots: Xorshift): Moves {
  const tasks = Array.from({ length: 2 + lots.below(3) }, () => randomTask(lots));
  return { cells: [0, 0, lots.below(3), 0, 0], tasks };
}

function randomTask(lots: Xorshift): Move[] {
  const moves: Move[] = [];
  while (moves.length < 1 + lots.below(4)) moves.push(...randomPhrase(lots));
  return moves;
}

function randomPhrase(lots: Xorshift): Move[] {
  const held = lots.below(2);
  const number = 3 + lots.below(2);
  const lock: Move = { ...ANY, cell: held, mode: AccessMode.Acquire, to: 0, adds: 1 };
  const unlock: Move = { ...ANY, cell: held, mode: AccessMode.Write, adds: -1 };
  const take: Move = { ...ANY, cell: 2, mode: AccessMode.Acquire, from: 1, adds: -1 };
  const give: Move = { ...ANY, cell: 2, mode: AccessMode.Release, adds: 1 };
  const read: Move = { ...ANY, cell: number, mode: AccessMode.Read };
  const set: Move = { ...ANY, cell: number, mode: AccessMode.Write, sets: lots.below(2) };
  const isSet: Move = { ...read, from: 1 };
  const isClear: Move = { ...read, to: 0 };
  const [some] = [[read], [set], [isSet], [isClear], [take], [give]].slice(lots.below(6));
  const inner = some ?? [];
  return lots.below(2) === 0 ? inner : [lock, ...(lots.below(2) === 0 ? inner : []), unlock];
}

/** The same as tasks. */
export function scenarioOfMoves({ cells, tasks }: Moves): Scenario {
  return {
    name: "random",
    summary: "guarded steps on cells",
    variants: { model: { expect: "ok", summary: "the only one" } },
    build(world) {
      const made = cells.map((value, index) => world.cell(`cell ${String(index)}`, value));
      for (const [index, moves] of tasks.entries()) {
        const body = async (task: Parameters<typeof world.step>[0]): Promise<void> => {
          for (const move of moves) {
            const cell = made[move.cell];
            if (cell === undefined) return;
            const access = cell.use(move.mode, "uses");
            const isGuarded = move.from > -Infinity || move.to < Infinity;
            const guard = (): boolean => cell.value >= move.from && cell.value <= move.to;
            await world.step(task, access, isGuarded ? guard : undefined);
            cell.value = move.sets ?? cell.value + move.adds;
          }
        };
        world.spawn(`t${String(index)}`, body, { startsAtFirstStep: true });
      }
    },
  };
}

export interface Classes {
  readonly schedules: number;
  readonly classes: number;
  readonly deadlocking: number;
}

/** Counts classes of schedules by running all of them; null: too many. */
export function countClasses(program: Moves, schedulesMax: number): Classes | null {
  const all = new Set<string>();
  const dead = new Set<string>();
  let schedules = 0;
  const taken: { task: number; index: number; move: Move }[] = [];
  const walk = (cells: readonly number[], at: readonly number[]): void => {
    if (schedules > schedulesMax) return;
    let moved = false;
    for (const [task, moves] of program.tasks.entries()) {
      const index = at[task] ?? 0;
      const move = moves[index];
      const value = cells[move?.cell ?? 0] ?? 0;
      if (move === undefined || value < move.from || value > move.to) continue;
      moved = true;
      taken.push({ task, index, move });
      walk(cells.with(move.cell, move.sets ?? value + move.adds), at.with(task, index + 1));
      taken.pop();
    }
    if (moved) return;
    schedules += 1;
    const order = classOf(taken);
    all.add(order);
    if (program.tasks.some((moves, task) => at[task] !== moves.length)) dead.add(order);
  };
  walk(
    program.cells,
    program.tasks.map(() => 0),
  );
  if (schedules > schedulesMax) return null;
  return { schedules, classes: all.size, deadlocking: dead.size };
}

/** What each step came after: all that a class of schedules has in common. */
function classOf(taken: readonly { task: number; index: number; move: Move }[]): string {
  const events = taken.map(({ task, index, move }, place) => {
    const after = taken
      .slice(0, place)
      .filter((earlier) => isConflict(earlier.move, move))
      .map((earlier) => `${String(earlier.task)}.${String(earlier.index)}`);
    return `${String(task)}.${String(index)}<${after.sort().join(",")}`;
  });
  return events.sort().join(" ");
}

function isConflict(one: Move, other: Move): boolean {
  if (one.cell !== other.cell) return false;
  if (one.mode !== other.mode) return true;
  return one.mode !== AccessMode.Read && one.mode !== AccessMode.Release;
}
