import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import { model, type Model, Op } from "../test/models.ts";

/** A step of a random program: takes one from, or gives one to, the cell of this number. */
interface Step {
  readonly cell: number;
  readonly isTake: boolean;
}

interface Program {
  readonly cells: readonly number[];
  readonly tasks: readonly (readonly Step[])[];
}

interface Counts {
  readonly schedules: number;
  readonly deadlocking: number;
}

/** Counts schedules without any scheduler: paths through the graph of states. */
function count(program: Program): Counts & { states: number } {
  const known = new Map<string, Counts>();
  const walk = (cells: readonly number[], at: readonly number[]): Counts => {
    const key = `${cells.join()};${at.join()}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    let [schedules, deadlocking, moves] = [0, 0, 0];
    for (const [task, steps] of program.tasks.entries()) {
      const step = steps[at[task] ?? 0];
      if (step === undefined) continue;
      const value = cells[step.cell] ?? 0;
      if (step.isTake && value === 0) continue;
      moves += 1;
      const next = walk(
        cells.with(step.cell, value + (step.isTake ? -1 : 1)),
        at.with(task, (at[task] ?? 0) + 1),
      );
      schedules += next.schedules;
      deadlocking += next.deadlocking;
    }
    const isOver = program.tasks.every((steps, task) => at[task] === steps.length);
    const counts = moves > 0 ? { schedules, deadlocking } : leaf(isOver);
    known.set(key, counts);
    return counts;
  };
  const counts = walk(
    program.cells,
    program.tasks.map(() => 0),
  );
  return { ...counts, states: known.size };
}

function leaf(isOver: boolean): Counts {
  return { schedules: 1, deadlocking: isOver ? 0 : 1 };
}

function modelOf({ cells, tasks }: Program): Model {
  return (m) => {
    const made = cells.map((value, index) => m.cell(`cell ${String(index)}`, value));
    for (const [task, steps] of tasks.entries()) {
      const ops = steps.flatMap(({ cell, isTake }) => {
        const used = made[cell];
        if (used === undefined) return [];
        return [isTake ? Op.take(used) : Op.give(used)];
      });
      m.task(`t${String(task)}`, ops);
    }
  };
}

const steps = fc.array(fc.record({ cell: fc.nat(2), isTake: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
});
const programs: fc.Arbitrary<Program> = fc.record({
  cells: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(1)),
  tasks: fc.array(steps, { minLength: 1, maxLength: 3 }),
});

describe("any program of locks and pools", () => {
  it("is run in exactly the schedules that there are", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const expected = count(program);
        fc.pre(expected.schedules <= 400);
        const all = await explore(model(modelOf(program)), "model", { after: "all" });
        expect(all.runs).toBe(expected.schedules);
        expect(all.failingRuns).toBe(expected.deadlocking);
      }),
      { numRuns: 150 },
    );
  });

  it("is found guilty or not alike when equal states are merged", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const expected = count(program);
        const options = { after: "all", dedupe: "states" } as const;
        const merged = await explore(model(modelOf(program)), "model", options);
        expect(merged.verdict).toBe(expected.deadlocking > 0 ? "found" : "proved");
        expect(merged.states).toBe(expected.states);
      }),
      { numRuns: 300 },
    );
  });
});
