// `npm run -s fuzz -- nbd --seconds 600 --seed 1`: plays hostile sessions for as long as told, and
// prints the seed of each round and what it was made of.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { root } from "./pnpm.mjs";

/** What can be fuzzed, and where its sessions are played. */
const FUZZERS = { nbd: "packages/nbd/test/fuzz" };
const USAGE = `usage: npm run -s fuzz -- ${Object.keys(FUZZERS).join("|")} [--seconds N] [--seed N]`;

function fail(why) {
  process.stderr.write(`${why}\n${USAGE}\n`);
  process.exit(2);
}

function parse() {
  const options = { seconds: { type: "string", default: "60" }, seed: { type: "string" } };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail(error.message);
  }
}

const { values, positionals } = parse();
const folder = FUZZERS[positionals[0]];
if (folder === undefined || positionals.length > 1) fail("what is to be fuzzed?");
if (!(Number(values.seconds) > 0)) fail(`"${values.seconds}" is no number of seconds`);
const env = { ...process.env, BLKSTACK_FUZZ_SECONDS: values.seconds };
if (values.seed !== undefined) {
  if (!Number.isSafeInteger(Number(values.seed))) fail(`"${values.seed}" is no seed`);
  env.BLKSTACK_FUZZ_SEED = values.seed;
}
const vitest = ["vitest", "run", "--project", "unit", "--reporter", "dot", folder];
const { status } = spawnSync("npx", vitest, { cwd: root, env, stdio: "inherit" });
process.exit(status ?? 1);
