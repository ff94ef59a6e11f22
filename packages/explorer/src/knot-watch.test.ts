import { AccessMode, Completion, Mutex, RwSemaphore, type Task, WaitQueue } from "@blkstack/task";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Actor, ExploredTask } from "./actor.ts";
import { type Check, CHECKS } from "./check.ts";
import { ChoicePath } from "./choice-path.ts";
import { explore } from "./explore.ts";
import { type Outcome, Runner } from "./run.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";
import { random, type Strategy } from "./strategy.ts";
import { WaitForGraph } from "./wait-for-graph.ts";

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

/** Who works for ever is nothing to complain of here. */
const DEADLOCKS = CHECKS.filter(({ name }) => name === "deadlock");

/** The same checks, asked at the end only. */
const AT_THE_END: readonly Check[] = CHECKS.map((check) => ({
  name: check.name,
  inspect: (run) => check.inspect(run),
}));
const WATCHING_KNOTS: readonly Check[] = AT_THE_END.map(
  (check) => DEADLOCKS.find(({ name }) => name === check.name) ?? check,
);

async function crossing(task: Task, first: Mutex, second: Mutex): Promise<void> {
  await first.lock(task);
  await second.lock(task);
  second.unlock(task);
  first.unlock(task);
}

/** Steps that concern nobody, for ever. */
async function spin(task: Task): Promise<void> {
  const own = { object: { label: "own" }, mode: AccessMode.Write, label: "works" };
  for (;;) await task.scheduler.mayPreempt(task, own);
}

describe("a knot", () => {
  it("ends the run at once, though somebody else could work for ever", async () => {
    const report = await explore(
      scenario((world) => {
        const [a, b] = [new Mutex("A"), new Mutex("B")];
        world.spawn("left", (task) => crossing(task, a, b));
        world.spawn("right", (task) => crossing(task, b, a));
        world.spawn("worker", spin);
      }),
      "only",
      { strategy: "random", stepsMax: 200, checks: DEADLOCKS },
    );
    expect(report.kind).toBe("DEADLOCK");
    expect(report.story).toContain("knot: left -> B -> right -> A -> left");
    expect(report.trace?.steps.length).toBeLessThan(20);
  });

  it.each(["queue", "completion"] as const)(
    "is not seen where others than those who are named might end the wait: %s",
    async (kind) => {
      const report = await explore(
        scenario((world) => {
          const lock = new Mutex("A");
          const suspects: Task[] = [];
          const blockers = (): readonly Task[] => suspects;
          const queue = new WaitQueue("Q", { blockers });
          const done = new Completion("C", { blockers });
          world.spawn("sleeper", async (task) => {
            await lock.lock(task);
            if (kind === "queue") await queue.sleep(task);
            else await done.wait(task);
            lock.unlock(task);
          });
          const waiter = world.spawn("waiter", async (task) => {
            await lock.lock(task);
            lock.unlock(task);
          });
          suspects.push(waiter);
          // Comes when the others have gone to sleep, whatever they hold.
          world.spawn("rescuer", async (task) => {
            await task.scheduler.sleep(task, { label: "the morning", blockers: () => [] }, 1000);
            if (kind === "queue") queue.wakeAll();
            else done.complete();
          });
        }),
        "only",
      );
      expect(report.verdict).toBe("proved");
    },
  );

  it("is not seen in a lock whose owner tries for another, and goes on without it", async () => {
    const report = await explore(
      scenario((world) => {
        const [a, b] = [new Mutex("A"), new Mutex("B")];
        world.spawn("polite", async (task) => {
          await a.lock(task);
          if (b.tryLock(task)) b.unlock(task);
          a.unlock(task);
        });
        world.spawn("stubborn", (task) => crossing(task, b, a));
      }),
      "only",
    );
    expect(report.verdict).toBe("proved");
  });

  it("is counted once for each whole schedule that it is part of", async () => {
    const build = (world: World): void => {
      const [a, b] = [new Mutex("A"), new Mutex("B")];
      world.spawn("left", (task) => crossing(task, a, b));
      world.spawn("right", (task) => crossing(task, b, a));
      world.spawn("third", async (task) => {
        await new Mutex("own").lock(task);
      });
    };
    const watched = await explore(scenario(build), "only", { after: "all" });
    const atEnd = await explore(scenario(build), "only", { after: "all", checks: AT_THE_END });
    expect(watched.failingRuns).toBeGreaterThan(0);
    expect([watched.runs, watched.failingRuns]).toEqual([atEnd.runs, atEnd.failingRuns]);
  });
});

const OPS = ["lock", "lock", "lock", "try", "read", "write", "unlock", "wait", "done"] as const;
interface Step {
  readonly op: (typeof OPS)[number];
  readonly which: number;
}

/** Runs one task of a random program; what it holds in the end it gives back. */
async function walk(task: Task, steps: readonly Step[], things: Things): Promise<void> {
  const held: (() => void)[] = [];
  for (const { op, which } of steps) {
    const lock = things.locks[which % things.locks.length] ?? new Mutex("none");
    if (op === "lock") {
      await lock.lock(task);
      held.push(() => {
        lock.unlock(task);
      });
    } else if (op === "try") {
      if (lock.tryLock(task)) {
        held.push(() => {
          lock.unlock(task);
        });
      }
    } else if (op === "read") {
      await things.rwsem.readLock(task);
      held.push(() => {
        things.rwsem.readUnlock(task);
      });
    } else if (op === "write") {
      await things.rwsem.writeLock(task);
      held.push(() => {
        things.rwsem.writeUnlock(task);
      });
    } else if (op === "unlock") held.pop()?.();
    else if (op === "wait") await things.completion.wait(task);
    else things.completion.complete();
  }
  while (held.length > 0) held.pop()?.();
}

interface Things {
  readonly locks: readonly Mutex[];
  readonly rwsem: RwSemaphore;
  readonly completion: Completion;
}

function randomScenario(tasks: readonly (readonly Step[])[]): Scenario {
  return scenario((world) => {
    const things: Things = {
      locks: [new Mutex("A"), new Mutex("B")],
      rwsem: new RwSemaphore("R"),
      completion: new Completion("C", { scheduler: world.scheduler }),
    };
    for (const [index, steps] of tasks.entries()) {
      world.spawn(`t${String(index)}`, (task) => walk(task, steps, things));
    }
  });
}

/** All schedules that begin with these choices. */
class Continuations implements Strategy {
  readonly name = "continuations";
  readonly isExhaustive = true;
  readonly #prefix: readonly number[];
  readonly #path = new ChoicePath();
  #at = 0;

  constructor(prefix: readonly number[]) {
    this.#prefix = prefix;
  }

  get isRepeating(): boolean {
    return this.#path.isRepeating;
  }

  beginRun(): boolean {
    this.#at = 0;
    return this.#path.rewind();
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#choose(enabled.length);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#choose(count);
  }

  #choose(count: number): number {
    const given = this.#prefix[this.#at];
    this.#at += 1;
    return given ?? this.#path.choose(count);
  }
}

function knotOf({ world }: Outcome): ExploredTask[] {
  const knot = new WaitForGraph(world, world.vocabularies).knot() ?? [];
  return knot.map(({ thing }) => thing).filter((thing) => thing instanceof ExploredTask);
}

const steps = fc.array(fc.record({ op: fc.constantFrom(...OPS), which: fc.nat(1) }), {
  minLength: 1,
  maxLength: 5,
});
const programs = fc.array(steps, { minLength: 2, maxLength: 4 });

describe("in any program of locks, semaphores and completions", () => {
  it(
    "a knot is seen no later than its last task blocks, and nobody can finish who is in it",
    { timeout: 60_000 },
    async () => {
      let [early, knots] = [0, 0];
      const property = async (tasks: Step[][], seed: number): Promise<void> => {
        const plan = { scenario: randomScenario(tasks), variant: "only", seed, stepsMax: 500 };
        const watching = new Runner({ ...plan, checks: WATCHING_KNOTS });
        const waiting = new Runner({ ...plan, checks: AT_THE_END });
        const seen = await watching.watched({ strategy: random(seed) });
        const end = await waiting.watched({ strategy: random(seed) });
        if (end.finding?.kind === "DEADLOCK") {
          knots += 1;
          expect(seen.finding?.kind).toBe("DEADLOCK");
          const since = knotOf(end).map(({ waitsSinceStep }) => waitsSinceStep);
          expect(seen.steps).toBeLessThanOrEqual(Math.max(...since));
        } else expect(seen.finding).toEqual(end.finding);
        if (seen.stop.why !== "finding") return;
        early += seen.steps < end.steps ? 1 : 0;
        const members = knotOf(seen).map(({ name }) => name);
        expect(members.length).toBeGreaterThan(0);
        const rest = new Continuations(seen.world.scheduler.taken);
        for (let run = 0; run < 200 && rest.beginRun(); run += 1) {
          const { world } = await waiting.watched({ strategy: rest });
          const stuck = world.scheduler.tasks.filter((task) => task.waitingFor !== null);
          expect(stuck.map(({ name }) => name)).toEqual(expect.arrayContaining(members));
        }
      };
      await fc.assert(fc.asyncProperty(programs, fc.nat(1000), property), { numRuns: 1000 });
      // Otherwise all of this would say nothing.
      expect(knots).toBeGreaterThan(50);
      expect(early).toBeGreaterThan(10);
    },
  );
});
