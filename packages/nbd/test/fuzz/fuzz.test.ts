// Sessions that are nearly right, over real sockets, against a model of what a server must answer.
// For longer, and from another beginning: npm run -s fuzz -- nbd --sockets --seconds 600 --seed 1
import fc from "fast-check";
import { expect, it } from "vitest";
import { asked } from "./asked.ts";
import { emptyTally, type Tally } from "./expectation.ts";
import { Oracle } from "./oracle.ts";
import { Rigs } from "./rig.ts";
import { sessions } from "./session.ts";

const SEED = 20_260_101;
const RUNS = 300;
/** When a bad session is to be made smaller no more, which takes long where the server hangs. */
const PLAYS_MS = 60_000;

/** Plays sessions until there were enough; throws what fast-check has made of the first bad one. */
async function play(seed: number, numRuns: number, forMs = PLAYS_MS): Promise<Tally> {
  const rigs = new Rigs();
  const tally = emptyTally();
  const property = fc.asyncProperty(sessions, (session) =>
    rigs.use(session.tls !== "off", (rig) => new Oracle(rig, session).play(tally)),
  );
  try {
    await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: forMs });
  } finally {
    await rigs.stop();
  }
  return tally;
}

function tell(seed: number, tally: Tally): void {
  const counts = Object.entries(tally).map(([what, count]) => `${String(count)} ${what}`);
  process.stderr.write(`fuzzed with seed ${String(seed)}: ${counts.join(", ")}\n`);
}

it("answers sessions with every kind of mistake as the model says, and holds nothing after", async () => {
  const tally = await play(SEED, RUNS);
  // Not only refusals are tried, nor only what is right.
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(0);
});

it(
  "does so for sessions that nobody has tried before",
  async () => {
    const { seconds, isAsked } = asked;
    const endMs = Date.now() + 1000 * seconds;
    let { seed } = asked;
    do {
      process.stderr.write(`fuzzing with seed ${String(seed)}\n`);
      const leftMs = isAsked ? endMs - Date.now() : PLAYS_MS;
      tell(seed, await play(seed, isAsked ? 2000 : 100, leftMs));
      seed += 1;
    } while (Date.now() < endMs);
  },
  asked.timeoutMs,
);
