import { delays, explore, preemptions, type StepLog, type Strategy } from "@blkstack/explorer";
import { type Access, AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { programs } from "./counts.ts";
import { programScenario } from "./program.ts";

type Actor = Parameters<Strategy["chooseActor"]>[0][number];

interface Event {
  readonly name: string;
  readonly id: string;
  readonly uses: Access[];
}

/** Leaves all choices to another strategy, and sorts its schedules into classes. */
class CountingClasses implements Strategy, StepLog {
  readonly classes = new Set<string>();
  readonly isRepeating = true;
  readonly isExhaustive = false;
  readonly log: StepLog = this;
  readonly #inner: Strategy;
  #events: Event[] = [];

  constructor(inner: Strategy) {
    this.#inner = inner;
  }

  get name(): string {
    return this.#inner.name;
  }

  beginRun(): boolean {
    this.#events = [];
    return this.#inner.beginRun();
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#inner.chooseActor(enabled);
  }

  chooseOutcome(what: string, count: number): number {
    return this.#inner.chooseOutcome(what, count);
  }

  stepTaken(actor: Actor): void {
    const { name } = actor;
    const index = this.#events.filter((event) => event.name === name).length;
    const uses = "access" in actor ? [actor.access] : [];
    this.#events.push({ name, id: `${name}.${String(index)}`, uses });
    this.#inner.stepTaken?.(actor);
  }

  used(access: Access): void {
    this.#events.at(-1)?.uses.push(access);
  }

  cellMade(): void {
    // Labels tell cells apart.
  }

  timerArmed(): void {
    throw new Error("programs arm no timers");
  }

  made(): void {
    // Programs spawn nobody while they run.
  }

  woke(): void {
    throw new Error("programs do not sleep");
  }

  timeMoves(): void {
    // There are no timers.
  }

  /** Which steps in conflict each step came after: all that the schedules of a class share. */
  runOver(): void {
    const texts = this.#events.map(({ id, uses }, place) => {
      const earlier = this.#events.slice(0, place).filter((event) => isConflict(event.uses, uses));
      const names = earlier.map((event) => event.id);
      return `${id}<${names.sort().join(",")}`;
    });
    this.classes.add(texts.sort().join(" "));
  }
}

function isConflict(some: readonly Access[], others: readonly Access[]): boolean {
  return some.some(({ object, mode }) =>
    others.some(
      (other) =>
        other.object.label === object.label &&
        (other.mode !== mode || (mode !== AccessMode.Read && mode !== AccessMode.Release)),
    ),
  );
}

describe("the schedules within a bound are as many, of as many classes, as the table says, of", () => {
  it.each([
    ["phil(3)", "preemptions", 0, 6, 6, 0],
    ["phil(3)", "preemptions", 1, 57, 7, 3],
    ["phil(3)", "preemptions", 2, 129, 7, 6],
    ["phil(3)", "delays", 1, 8, 4, 0],
    ["phil(3)", "delays", 2, 32, 7, 1],
    ["phil(4)", "preemptions", 1, 512, 15, 4],
    ["phil(4)", "delays", 3, 347, 15, 1],
    ["pool(n=3,k=2,m=3,fine)", "preemptions", 1, 60, 60, 0],
    ["pool(n=3,k=2,m=3,fine)", "preemptions", 2, 300, 258, 6],
    ["pool(n=3,k=2,m=3,fine)", "delays", 2, 45, 40, 1],
    ["bioSplit(n=3,k=2,m=3,bug)", "preemptions", 1, 28_920, 1_068, 0],
    ["bioSplit(n=3,k=2,m=3,bug)", "preemptions", 2, 98_166, 1_500, 6],
    ["bioSplit(n=3,k=2,m=3,bug)", "delays", 2, 127, 59, 1],
  ] as const)("%s with %s up to %i", async (name, measure, count, runs, classes, failing) => {
    const { build } = programs.find((program) => program.name === name)!;
    const strategy = new CountingClasses(measure === "delays" ? delays(count) : preemptions(count));
    const scenario = programScenario(build, () => undefined);
    const report = await explore(scenario, "program", {
      strategy,
      after: "all",
      executions: Infinity,
    });
    const counted = { runs: report.runs, failing: report.failingRuns };
    expect({ ...counted, classes: strategy.classes.size }).toStrictEqual({
      runs,
      failing,
      classes,
    });
  });
});
