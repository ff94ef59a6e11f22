// Kills the server at moments nobody chose while it is written to, starts it again, and sees
// whether anything is gone that was answered: on a plain file, and on a stack of snapshots.
import { parseArgs } from "node:util";
import { isMissing } from "../tools.ts";
import { type Round, Rounds, type StackName, STACKS } from "./rounds.ts";

const USAGE = "usage: npm run -s kill -- [--times N] [--only file|stack] [--seed N]";

const { values } = parseArgs({
  options: {
    times: { type: "string", default: "50" },
    only: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const times = Number(values.times);
if (!(Number.isSafeInteger(times) && times > 0)) throw new RangeError(USAGE);
if (isMissing("fio")) process.exit(2);

/** Moments that are the same for the same seed; the machine's own timing is not. */
let state = Number(values.seed) >>> 0;
const moment = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

const sum = (rounds: readonly Round[], key: keyof Round): number =>
  rounds.reduce((total, round) => total + round[key], 0);

async function kill(name: StackName): Promise<boolean> {
  const rounds = new Rounds(name);
  const done: Round[] = [];
  try {
    await rounds.start();
    for (let count = 0; count < times; count += 1) done.push(await rounds.next(moment()));
  } finally {
    await rounds.clear();
  }
  const served = done.map(({ servedMs }) => servedMs).sort((a, b) => a - b);
  const killed = done.map(({ killedMs }) => killedMs).sort((a, b) => a - b);
  const ms = (sorted: readonly number[], part: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN).toFixed(0);
  const span = (sorted: readonly number[]): string =>
    `${ms(sorted, 0)} to ${ms(sorted, 1)} ms, half within ${ms(sorted, 0.5)}`;
  const mib = (key: "fioBytes" | "ownBytes"): string => (sum(done, key) / 2 ** 20).toFixed(0);
  process.stdout.write(
    [
      `${name}: killed ${String(done.length)} times, after ${span(killed)}`,
      `  served again after ${span(served)}`,
      `  ${String(sum(done, "flushes"))} flushes answered, ${String(sum(done, "broken"))} writes broken off; verified: ${mib("fioBytes")} MiB by fio, ${mib("ownBytes")} MiB here`,
      `  flushed and lost: ${String(sum(done, "lost"))} blocks; answered, not flushed and lost: ${String(sum(done, "unflushed"))}; mixed up: ${String(sum(done, "mixed"))}`,
      "",
    ].join("\n"),
  );
  return sum(done, "lost") + sum(done, "mixed") === 0;
}

process.stdout.write(`seed ${values.seed}\n`);
let isGood = true;
for (const name of Object.keys(STACKS) as StackName[]) {
  if (values.only === undefined || values.only === name) isGood = (await kill(name)) && isGood;
}
process.exitCode = isGood ? 0 : 1;
