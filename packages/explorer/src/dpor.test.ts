import { describe, expect, it } from "vitest";
import type { ExploredTask } from "./actor.ts";
import { conflict } from "./dependency.ts";
import { Dpor } from "./dpor.ts";
import type { Wish } from "./dpor-step.ts";
import { explore } from "./explore.ts";
import { hasStep } from "./happens-before.ts";
import { Xorshift } from "./strategy.ts";
import {
  type Classes,
  countClasses,
  type Moves,
  randomMoves,
  scenarioOfMoves,
} from "../test/random-classes.ts";

const PROGRAMS = 3_000;
const SCHEDULES_MAX = 1_500;

/** Forgets the tasks that could not go on when the run ended as covered. */
class NotWhenBlocked extends Dpor {
  protected override wishOfBlocked(tasks: readonly ExploredTask[]): void {
    if (!this.isBlocked) super.wishOfBlocked(tasks);
  }
}

/** Forgets the tasks that could not go on. */
class NeverAtTheEnd extends Dpor {
  protected override wishOfBlocked(): void {
    // On purpose.
  }
}

/** Takes the last step in conflict for the one that counts, as where nothing ever blocks. */
class LastConflictOnly extends Dpor {
  protected override race(wish: Wish, end: number): void {
    for (let i = end - 1; i >= 0; i -= 1) {
      const step = this.steps[i];
      if (step === undefined || step.key === wish.key) continue;
      if (!conflict(step.uses, wish.uses, this.commute)) continue;
      if (hasStep(this.steps[wish.after]?.before ?? [], i)) return;
      for (const key of step.enabled) if (!step.backtrack.includes(key)) step.backtrack.push(key);
      return;
    }
  }
}

const programs: readonly { moves: Moves; counted: Classes }[] = (() => {
  const lots = new Xorshift(14);
  const found: { moves: Moves; counted: Classes }[] = [];
  while (found.length < PROGRAMS) {
    const moves = randomMoves(lots);
    const counted = countClasses(moves, SCHEDULES_MAX);
    if (counted !== null && counted.schedules > 1) found.push({ moves, counted });
  }
  return found;
})();

async function programsMissed(make: () => Dpor): Promise<number> {
  let missed = 0;
  for (const { moves, counted } of programs) {
    const report = await explore(scenarioOfMoves(moves), "model", {
      strategy: make(),
      after: "all",
    });
    expect(report.schedules).toBeLessThanOrEqual(counted.classes);
    if (report.schedules < counted.classes) missed += 1;
    else expect(report.failingRuns).toBe(counted.deadlocking);
  }
  return missed;
}

describe("of random programs with locks, pools, guards and shared numbers, reduction", () => {
  it("runs each class of schedules, and no class twice", { timeout: 120_000 }, async () => {
    expect(programs.filter(({ counted }) => counted.deadlocking > 0).length).toBeGreaterThan(500);
    expect(await programsMissed(() => new Dpor())).toBe(0);
  });

  it.each([
    ["for who is blocked when a run is given up", () => new NotWhenBlocked()],
    ["for who is blocked at the end", () => new NeverAtTheEnd()],
    ["when it looks no further than the last conflict", () => new LastConflictOnly()],
  ])("misses classes without the rule %s", { timeout: 120_000 }, async (_rule, make) => {
    expect(await programsMissed(make)).toBeGreaterThan(0);
  });
});
