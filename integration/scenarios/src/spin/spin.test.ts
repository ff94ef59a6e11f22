import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { programs } from "../counts/counts.ts";
import { EXPECTED } from "../counts/expected.ts";
import { WalkedGraph } from "../counts/walked-graph.ts";
import { promelaOf } from "./promela.ts";
import { isSpinMissing, verify } from "./spin.ts";

const isMissing = isSpinMissing();
/** Beyond that, what SPIN adds is time. */
const STATES_MAX = 2_000;

/** Its tasks all end, but may end with a wrong sum, of which the model says nothing. */
function endsWrong(name: string): boolean {
  return name.startsWith("counter(");
}

describe.skipIf(isMissing)("SPIN meets the same states and deadlocks in a model by hand of", () => {
  it.concurrent.each([
    ["mutex(3)", "mutex", ["N=3"]],
    ["mutex(5)", "mutex", ["N=5"]],
    ["phil(2)", "philosophers", ["N=2"]],
    ["phil(3)", "philosophers", ["N=3"]],
    ["phil(5)", "philosophers", ["N=5"]],
    ["phil(8)", "philosophers", ["N=8"]],
    ["lostWakeup(waiters=1)", "lost-wakeup", ["N=1"]],
    ["lostWakeup(waiters=2)", "lost-wakeup", ["N=2"]],
    ["lostWakeup(waiters=3)", "lost-wakeup", ["N=3"]],
    ["bioSplit(n=1,k=2,m=1,bug)", "bio-split", ["N=1", "M=1"]],
    ["bioSplit(n=2,k=2,m=2,bug)", "bio-split", ["N=2", "M=2"]],
    ["bioSplit(n=3,k=2,m=3,bug)", "bio-split", ["N=3", "M=3"]],
    ["bioSplit(n=4,k=2,m=4,bug)", "bio-split", ["N=4", "M=4"]],
    ["bioSplit(n=5,k=2,m=5,bug)", "bio-split", ["N=5", "M=5"]],
    ["bioSplit(n=2,k=3,m=4,bug)", "bio-split", ["N=2", "K=3", "M=4"]],
    ["bioSplit(n=2,k=2,m=1,submitFirst)", "bio-split", ["M=1", "SUBMIT_FIRST"]],
    ["bioSplit(n=2,k=2,m=2,submitFirst)", "bio-split", ["M=2", "SUBMIT_FIRST"]],
  ])("%s", async (name, file, defines) => {
    const model = readFileSync(new URL(`../../spin/${file}.pml`, import.meta.url), "utf8");
    const { states, deadStates } = EXPECTED[name]!;
    expect(await verify(model, defines)).toStrictEqual({ states, deadlocked: deadStates });
  });
});

describe.skipIf(isMissing)(
  "SPIN meets the same states and deadlocks in what was learned of",
  () => {
    const small = programs.filter(({ name }) => EXPECTED[name]!.states <= STATES_MAX);

    it.concurrent.each(small)("$name", async (program) => {
      const { tables } = await WalkedGraph.of(program);
      const { states, deadStates } = EXPECTED[program.name]!;
      expect(await verify(promelaOf(tables))).toStrictEqual({
        states,
        deadlocked: endsWrong(program.name) ? 0 : deadStates,
      });
    });
  },
);
