// `npm run -s fuzz -- nbd --messages 5000000 --seed 1`: plays hostile sessions until there were as
// many of them, as many messages in them, or for as long as told. Prints the seed and what was
// tried. Exit status 1 for a server that does not bear one, or hangs.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./pnpm.mjs";

/** What can be fuzzed, and where its sessions are played: in one process, or over sockets. */
const FUZZERS = {
  nbd: {
    inside: "packages/nbd/test/fuzz/inside.test.ts",
    sockets: "packages/nbd/test/fuzz/fuzz.test.ts",
  },
};
const NUMBERS = ["seconds", "sessions", "messages", "seed"];
const USAGE =
  `usage: npm run -s fuzz -- ${Object.keys(FUZZERS).join("|")} ` +
  "[--seconds N] [--sessions N] [--messages N] [--seed N] [--sockets]";
/** Who runs tells of itself more often. */
const HANGS_MS = 120_000;

function fail(why) {
  process.stderr.write(`${why}\n${USAGE}\n`);
  process.exit(2);
}

function parse() {
  const numbers = NUMBERS.map((name) => [name, { type: "string" }]);
  const options = { ...Object.fromEntries(numbers), sockets: { type: "boolean", default: false } };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail(error.message);
  }
}

const { values, positionals } = parse();
const fuzzer = FUZZERS[positionals[0]];
if (fuzzer === undefined || positionals.length > 1) fail("what is to be fuzzed?");
const env = { ...process.env };
for (const name of NUMBERS) {
  const text = values[name];
  if (text === undefined) continue;
  const isWhole = Number.isSafeInteger(Number(text)) || name === "seconds";
  if (!isWhole || !(Number(text) > 0 || name === "seed")) fail(`"${text}" is no number of ${name}`);
  env[`BLKSTACK_FUZZ_${name.toUpperCase()}`] = text;
}
const isBounded = ["seconds", "sessions", "messages"].some((name) => values[name] !== undefined);
if (!isBounded) env.BLKSTACK_FUZZ_SECONDS = "60";
if (values.sockets && (values.sessions ?? values.messages) !== undefined) {
  fail("over sockets, say for how many --seconds");
}

const file = values.sockets ? fuzzer.sockets : fuzzer.inside;
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const args = [vitest, "run", "--project", "unit", "--reporter", "dot", file];
// A group of its own: whoever hangs is a child of it.
const child = spawn(process.execPath, args, {
  cwd: root,
  env,
  stdio: ["inherit", "pipe", "pipe"],
  detached: true,
});
const endAll = (signal) => process.kill(-child.pid, signal);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => endAll(signal));
let hangs;
const heard = (text, to) => {
  to.write(text);
  clearTimeout(hangs);
  if (values.sockets) return;
  // A loop without end does not even let a timer of its own process fire.
  hangs = setTimeout(() => {
    process.stderr.write(`the server hangs: nothing was heard for ${String(HANGS_MS / 1000)} s\n`);
    endAll("SIGKILL");
  }, HANGS_MS);
};
child.stdout.on("data", (text) => heard(text, process.stdout));
child.stderr.on("data", (text) => heard(text, process.stderr));
child.on("exit", (status) => {
  clearTimeout(hangs);
  process.exitCode = status ?? 1;
});
