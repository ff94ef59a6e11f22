import { defineScenario, explore, type Scenario } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import { RamGround } from "./ground.ts";
import { type Play, Player } from "./player.ts";
import { withLog } from "./real-world.ts";

/** Attempts to get memory that fail in one run, at most. */
const FAILURES = 2;
const STEPS_MAX = 100_000;

/** What exploring came to. */
export interface Explored {
  readonly problems: readonly string[];
  readonly schedules: number;
}

export interface ExploredOptions {
  readonly seed: number;
  /** Half of them with enough memory, half with attempts to get some that fail. */
  readonly schedules: number;
}

/** A stack in use, for `explore`: in any order, and also where attempts to get memory fail. */
function stackScenario(play: Play): Scenario {
  return defineScenario({
    name: "stack",
    summary: "several use a stack, and others change it",
    variants: {
      orders: { expect: "ok", summary: "whoever goes first, and whatever ends first" },
      allocations: { expect: "ok", summary: "also when attempts to get memory fail" },
    },
    async build(world, variant) {
      const { scheduler } = world;
      const player = new Player({
        ...play,
        scheduler,
        ground: new RamGround(),
        spawn: (name, body) => world.spawn(name, body),
        onBegin({ memory }) {
          if (variant === "allocations") memory.faultPlan = choosesFailures(scheduler, FAILURES);
        },
      });
      await player.open();
      world.spawn("people", (task) => player.play(task));
      world.atEnd(() => withLog(player.problems, player.log));
    },
  });
}

/** Plays under the explorer, in so many schedules at random. */
export async function playExplored(
  play: Play,
  { seed, schedules }: ExploredOptions,
): Promise<Explored> {
  const scenario = stackScenario(play);
  let runs = 0;
  for (const [variant, executions] of [
    ["orders", Math.ceil(schedules / 2)],
    ["allocations", Math.floor(schedules / 2)],
  ] as const) {
    if (executions === 0) continue;
    const report = await explore(scenario, variant, {
      strategy: "random",
      seed,
      executions,
      after: "first",
      stepsMax: STEPS_MAX,
      lockdep: false,
    });
    runs += report.runs;
    if (report.verdict !== "found") continue;
    const problems = [`${String(report.kind)}: ${report.message}`, report.story];
    return { problems, schedules: runs };
  }
  return { problems: [], schedules: runs };
}
