// Sessions that are nearly right, by the thousand, against a model of what a server must answer.
// For longer, and from another beginning: npm run -s fuzz -- nbd --seconds 600 --seed 1
import fc from "fast-check";
import { expect, it } from "vitest";
import { Oracle, type Tally } from "./oracle.ts";
import { Rigs } from "./rig.ts";
import { sessions } from "./session.ts";

const SEED = 20_260_101;
const RUNS = 300;
/** When a bad session is to be made smaller no more, which takes long where the server hangs. */
const PLAYS_MS = 60_000;
const ASKED_MS = 1000 * Number(process.env["BLKSTACK_FUZZ_SECONDS"] ?? 0);
const ASKED_SEED = process.env["BLKSTACK_FUZZ_SEED"];

/** Plays sessions until there were enough; throws what fast-check has made of the first bad one. */
async function play(seed: number, numRuns: number, forMs = PLAYS_MS): Promise<Tally> {
  const rigs = new Rigs();
  const tally: Tally = { sessions: 0, chosen: 0, requests: 0, refused: 0, broken: 0, secured: 0 };
  const property = fc.asyncProperty(sessions, (session) =>
    rigs.use(session.tls !== "off", async (rig) => {
      const oracle = new Oracle(rig, session);
      await oracle.play();
      for (const key of Object.keys(tally) as (keyof Tally)[]) tally[key] += oracle.tally[key];
    }),
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
    const endMs = Date.now() + ASKED_MS;
    let seed = ASKED_SEED === undefined ? Date.now() % 2 ** 31 : Number(ASKED_SEED);
    do {
      process.stderr.write(`fuzzing with seed ${String(seed)}\n`);
      tell(
        seed,
        await play(
          seed,
          ASKED_MS === 0 ? 100 : 2000,
          ASKED_MS === 0 ? PLAYS_MS : endMs - Date.now(),
        ),
      );
      seed += 1;
    } while (Date.now() < endMs);
  },
  ASKED_MS + 120_000,
);
