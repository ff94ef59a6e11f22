// Holds random stacks to their models: `npm run -s stacks -- --stacks 500 --ios 1000`; or one of a
// stack file: `npm run -s stacks -- --file examples/snapshot.yaml`.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { runStackFile, runStacks, type StackSums, type StackWorld } from "./index.ts";

/** How many stacks are between two lines of progress. */
const PROGRESS_STACKS = 10;

const OPTIONS = {
  world: { type: "string", default: "real" },
  seed: { type: "string", default: "1" },
  stacks: { type: "string", default: "50" },
  ios: { type: "string" },
  schedules: { type: "string", default: "10" },
  path: { type: "string" },
  shrinks: { type: "string", default: "2000" },
  file: { type: "string" },
} as const;

const values = optionValues();
const world = worldOf(values.world);
const seed = wholeNumber("seed", values.seed);
const ios = wholeNumber("ios", values.ios ?? (world === "real" ? "1000" : "9"));
const schedules = wholeNumber("schedules", values.schedules);
const stacks = wholeNumber("stacks", values.stacks);
const shrinksMax = wholeNumber("shrinks", values.shrinks);
if (values.file === undefined) await runRandom();
else await runFile(values.file);

function fail(why: string): never {
  const words = Object.keys(OPTIONS).map((name) => `[--${name} …]`);
  console.error(`${why}\nusage: npm run -s stacks -- ${words.join(" ")}`);
  process.exit(2);
}

function optionValues(): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"] {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function worldOf(text: string): StackWorld {
  return text === "real" || text === "explored" ? text : fail(`"${text}" is no world`);
}

function wholeNumber(name: keyof typeof OPTIONS, text: string): number {
  return /^\d+$/.test(text) ? Number(text) : fail(`--${name}: "${text}" is no whole number`);
}

async function runFile(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  const failure = await runStackFile(text, file, { world, seed, ios, schedules });
  if (failure !== null) process.exitCode = 1;
  console.log(failure ?? `${file}: ${String(ios)} bios and commands, no difference from the model`);
}

async function runRandom(): Promise<void> {
  const report = await runStacks({
    world,
    seed,
    stacks,
    iosPerStack: ios,
    schedulesPerStack: schedules,
    shrinksMax,
    ...(values.path !== undefined && { path: values.path }),
    onProgress(sums) {
      if (sums.stacks % PROGRESS_STACKS === 0) {
        process.stderr.write(`\r\u001B[K${sumsText(sums)} …`);
      }
    },
  });
  process.stderr.write("\r\u001B[K");
  const { failure, linesOf } = report;
  if (failure !== null) {
    console.log(failure.text);
    process.exitCode = 1;
  }
  const lines = Object.entries(linesOf).map(([name, count]) => `${name} ${String(count)}`);
  const differences = failure === null ? "no difference" : "1 difference";
  console.log(`lines of tables: ${lines.sort().join(", ")}`);
  console.log(`${world}: ${sumsText(report)}, ${differences} from the model`);
}

function sumsText({ stacks, devices, tableLines, ios: done, schedules: run }: StackSums): string {
  const figures = [
    `${String(stacks)} stacks`,
    `${String(devices)} devices`,
    `${String(tableLines)} lines`,
    `${String(done)} bios and commands`,
    ...(run > 0 ? [`${String(run)} schedules`] : []),
  ];
  return figures.join(", ");
}
