// Holds random stacks to their models: `npm run -s stacks -- --stacks 500 --ios 1000`; or one of a
// stack file: `npm run -s stacks -- --file examples/snapshot.yaml`.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { runStackFile, runStacks, type StackSums, type StackWorld } from "./index.ts";

/** How many stacks are between two lines of progress. */
const PROGRESS_STACKS = 10;

const { values } = parseArgs({
  options: {
    world: { type: "string", default: "real" },
    seed: { type: "string", default: "1" },
    stacks: { type: "string", default: "50" },
    ios: { type: "string" },
    schedules: { type: "string", default: "10" },
    path: { type: "string" },
    shrinks: { type: "string", default: "2000" },
    file: { type: "string" },
  },
});
if (values.world !== "real" && values.world !== "explored") {
  throw new RangeError(`--world is "real" or "explored", not "${values.world}"`);
}
const world: StackWorld = values.world;
const seed = Number(values.seed);
const ios = Number(values.ios ?? (world === "real" ? "1000" : "9"));
const schedules = Number(values.schedules);
if (values.file === undefined) await runRandom();
else await runFile(values.file);

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
    stacks: Number(values.stacks),
    iosPerStack: ios,
    schedulesPerStack: schedules,
    shrinksMax: Number(values.shrinks),
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
