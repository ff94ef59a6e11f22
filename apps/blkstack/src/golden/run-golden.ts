import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { TargetType } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import { TARGETS } from "../compose.ts";
import { type GoldenBoot, type GoldenCase, readCase } from "./case-file.ts";
import { Comparison, type Figure } from "./comparison.ts";
import { DEVIATIONS, LOG_FREEDOM } from "./deviations.ts";
import { recordedImage, sha256 } from "./image.ts";
import { logDisksOf, promisesOfOne } from "./logged.ts";
import { createDisks, type Disks, Machine } from "./machine.ts";
import { missingTargets, needSentence } from "./missing-targets.ts";
import { describeRuns } from "./pattern.ts";
import { Replay } from "./replay.ts";

/** What came of one recorded case. */
export interface GoldenCaseReport {
  readonly name: string;
  /** Whether nothing differs. */
  readonly ok: boolean;
  /** How many recorded results were compared. */
  readonly compared: number;
  /** What could not be, each with the reason. */
  readonly notReplayed: readonly string[];
  readonly differences: readonly string[];
  /** Measurements, recorded and here. */
  readonly figures: readonly Figure[];
  /** Targets that the case waits for; nothing of it was replayed then. */
  readonly missing: readonly string[];
}

export interface GoldenReport {
  readonly cases: readonly GoldenCaseReport[];
}

export interface GoldenOptions {
  /** The kinds of targets that tables may name; all that blkstack has, unless told. */
  readonly types?: readonly TargetType[];
  /** How long one step may take, in ms; 15 s unless told. */
  readonly stepTimeoutMs?: number;
  /** Hears of each case as it is done. */
  readonly onCase?: (report: GoldenCaseReport) => void;
}

const STEP_TIMEOUT_MS = 15_000;
/** What changes which devices there are, where only the recorded machine can run it. */
const CHANGES_DEVICES = /dmsetup\s+(?:create|remove|rename)/;

/** Replays recorded kernel cases: one, when `directory` holds a `case.json`, else all below it. */
export async function runGolden(
  directory: string,
  options: GoldenOptions = {},
): Promise<GoldenReport> {
  const cases: GoldenCaseReport[] = [];
  for (const caseDirectory of await findCases(directory)) {
    const report = await runCase(await readCase(caseDirectory), options);
    options.onCase?.(report);
    cases.push(report);
  }
  return { cases };
}

async function findCases(directory: string): Promise<string[]> {
  if (existsSync(path.join(directory, "case.json"))) return [directory];
  const names = (await readdir(directory)).sort();
  const below = names.map((name) => path.join(directory, name));
  return below.filter((each) => existsSync(path.join(each, "case.json")));
}

/** Replays one case, boot by boot over the same disks. */
export async function runCase(
  golden: GoldenCase,
  options: GoldenOptions = {},
): Promise<GoldenCaseReport> {
  const types = options.types ?? TARGETS;
  const missing = missingTargets(golden, types);
  if (missing.length > 0) return reportOfWaiting(golden.name, missing);
  const scheduler = new EventLoopScheduler();
  const comparison = new Comparison();
  const disks = await createDisks(golden, scheduler);
  comparison.at("before");
  for (const [role, disk] of disks) {
    const recorded = golden.disks[role]?.before_sha256;
    comparison.equal(`image of ${role}`, recorded, sha256(disk.content()));
  }
  for (const [index, boot] of golden.boots.entries()) {
    const machine = new Machine(disks, types, scheduler);
    const timeoutMs = options.stepTimeoutMs ?? STEP_TIMEOUT_MS;
    await runBoot(boot, `boot ${String(index)}`, { machine, comparison, timeoutMs });
    comparison.at(`boot ${String(index)}, at the end`);
    await compareImages(golden, index, disks, comparison);
  }
  return reportOf(golden.name, comparison);
}

interface Stage {
  readonly machine: Machine;
  readonly comparison: Comparison;
  readonly timeoutMs: number;
}

async function runBoot(boot: GoldenBoot, place: string, stage: Stage): Promise<void> {
  const { machine, comparison } = stage;
  const replay = new Replay(machine, comparison);
  for (const [index, op] of boot.ops.entries()) {
    const target = op.name ?? op.dev;
    const what = [op.op, ...(target === undefined ? [] : [target])].join(" ");
    comparison.at(`${place}, step ${String(index)} (${what})`);
    const isDone = await inTask(stage, (task) => replay.step(op, task));
    if (isDone) continue;
    const limit = String(stage.timeoutMs);
    comparison.equal("time", "an answer", `none after ${limit} ms; the rest is left out`);
    return;
  }
  comparison.at(`${place}, at the end`);
  replay.logAtEnd();
  const changes = boot.ops.filter(({ cmd = "" }) => CHANGES_DEVICES.test(cmd));
  if (changes.length === 0) replay.devicesAtEnd(boot.devices_at_end);
  else comparison.skip("devices at the end: some came from steps that cannot be replayed");
}

/** Runs a step in a task of its own; false when it takes too long. */
async function inTask(
  { machine, timeoutMs }: Stage,
  body: (task: Task) => Promise<void>,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const done = new Promise<true>((resolve, reject) => {
    machine.scheduler.spawn("golden", (task) =>
      body(task).then(() => {
        resolve(true);
      }, reject),
    );
  });
  try {
    return await Promise.race([done, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Compares what is on the disks. Where the boot could not be replayed as a whole, the disks get what
 * they had then: the next boot can be compared again.
 */
async function compareImages(
  golden: GoldenCase,
  boot: number,
  disks: Disks,
  comparison: Comparison,
): Promise<void> {
  const logDisks = logDisksOf(golden);
  for (const [role, disk] of disks) {
    const after = golden.disks[role]?.after.find((each) => each.boot === boot);
    if (after === undefined) continue;
    const { sha256: recorded, file } = after;
    const content = disk.content();
    const here = sha256(content);
    if (here !== recorded && file !== undefined && logDisks.has(golden.disks[role]?.dev ?? "")) {
      const promises = await promisesOfOne(await recordedImage(golden.directory, file), content);
      if (promises !== null) {
        comparison.equal(`what the log on ${role} promises`, ...promises);
        comparison.skip(`image of ${role}: ${LOG_FREEDOM}`);
        continue;
      }
    }
    const told = here === recorded ? here : describeRuns(content, 0).slice(0, 2000);
    const isSame = comparison.equal(`image of ${role}`, recorded, told);
    if (isSame || !comparison.isUncertain || file === undefined) continue;
    disk.poke(0, await recordedImage(golden.directory, file));
  }
  comparison.becomeCertain();
}

function reportOf(name: string, comparison: Comparison): GoldenCaseReport {
  const { compared, figures } = comparison;
  const deviation = DEVIATIONS.get(name);
  const isWanted = (difference: string): boolean => deviation?.results.test(difference) === true;
  const differences = comparison.differences.filter((difference) => !isWanted(difference));
  const wanted = comparison.differences
    .filter((difference) => isWanted(difference))
    .map((difference) => `${difference} (wanted: ${deviation?.why ?? ""})`);
  const notReplayed = [...comparison.notReplayed, ...wanted];
  const ok = differences.length === 0;
  return { name, ok, compared, notReplayed, differences, figures, missing: [] };
}

function reportOfWaiting(name: string, missing: readonly string[]): GoldenCaseReport {
  const differences = missing.map(needSentence);
  return { name, ok: false, compared: 0, notReplayed: [], differences, figures: [], missing };
}
