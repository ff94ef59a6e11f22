import { join, resolve } from "node:path";
import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { type CrashPoint, crashPoints, LogReader } from "@blkstack/dm-log-writes";
import { ImageFile } from "../image-file.ts";
import { ProgressLine } from "../progress-line.ts";
import { UserError } from "../user-error.ts";
import { CheckBench } from "./check-bench.ts";
import type { CrashFlags } from "./crash-flags.ts";
import type { CrashReport } from "./crash-report.ts";
import { parseLost } from "./lost-list.ts";
import type { Place, Recording } from "./recording.ts";
import {
  type Failure,
  minimiseFailure,
  searchCrashes,
  type SearchResult,
  spread,
} from "./search-crashes.ts";

/** Checks what power cuts would leave of a recording, at the points and in the states that are asked for. */
export async function checkRecording(
  recorded: Recording,
  flags: CrashFlags & { readonly check: string },
  { io, folder, signal }: Place,
): Promise<CrashReport> {
  const log = await ImageFile.open("log", recorded.logPath, "/");
  const base = await ImageFile.open("base", recorded.basePath, "/");
  const sizeBytes = base.sizeBytes;
  await base.close();
  const benches: CheckBench[] = [];
  const { check, checkSeconds, keep, torn = false, ignoreFlushes = false, seed, subsets } = flags;
  const progress = new ProgressLine(io.stderr, flags.json === true ? false : undefined);
  try {
    const points: CrashPoint[] = [];
    for await (const point of crashPoints(await LogReader.open(log), { ignoreFlushes })) {
      checkFits(point, sizeBytes);
      points.push(point);
    }
    const jobs = flags.point === undefined ? flags.jobs : 1;
    for (let job = 0; job < jobs; job += 1) {
      const place = { folder: join(folder, `job-${String(job)}`), cwd: io.cwd, env: io.env };
      const { logPath, basePath } = recorded;
      const command = { command: check, timeoutMs: checkSeconds * 1000 };
      benches.push(
        await CheckBench.open({ ...command, logPath, basePath, sizeBytes, signal, ...place }),
      );
    }
    const states = { statesMax: subsets, torn, seed };
    const isWanted = wantedPoint(points, flags);
    const onProgress = (index: number, done: number): void => {
      const place = `point ${String(index + 1)} of ${String(points.length)}`;
      progress.showText(`${place}, ${String(done)} states checked`);
    };
    const wanted = { points, isWanted, states, benches, signal, onProgress };
    const result =
      flags.lost === undefined
        ? await searchCrashes(wanted)
        : await oneState(
            points,
            points.findIndex((_, index) => isWanted(index)),
            flags.lost,
            benches,
          );
    if (signal.aborted) throw new UserError(`stopped after ${String(result.states)} states`);
    const smallest = await smallestOf(result, points, flags);
    progress.clear();
    let keptName: string | null = null;
    if (keep !== undefined && smallest !== null) {
      keptName = join(keep, "crash.img");
      await result.bench?.rebuild(points, smallest.index, smallest.state);
      await result.bench?.keep(resolve(io.cwd, keptName));
    }
    const entries = points.at(-1)?.afterEntry ?? 0;
    return { recorded, entries, points, result, smallest, keptName, keep: keep ?? null, flags };
  } finally {
    progress.clear();
    for (const bench of benches) await bench.close();
    await log.close();
  }
}

/** A base of another disk, or a log of one, is found out before anything is checked. */
function checkFits({ loose, behindFlush, settled }: CrashPoint, sizeBytes: Bytes): void {
  const writes = [...settled, ...loose, ...(behindFlush === null ? [] : [behindFlush])];
  for (const { entry } of writes) {
    if ((entry.sector + entry.sectors) * SECTOR_BYTES <= sizeBytes) continue;
    const range = `sectors ${String(entry.sector)}+${String(entry.sectors)}`;
    const text = `entry ${String(entry.number)} of the log is for ${range}`;
    throw new UserError(
      `${text}, and the base has ${String(Math.floor(sizeBytes / SECTOR_BYTES))}`,
    );
  }
}

function wantedPoint(
  points: readonly CrashPoint[],
  { point, points: wanted }: CrashFlags,
): (index: number) => boolean {
  if (point === undefined) return spread(points.length, wanted);
  const chosen = points.findIndex(({ afterEntry }) => afterEntry === point);
  if (chosen < 0) {
    const near = points.findLast(({ afterEntry }) => afterEntry < point)?.afterEntry ?? 0;
    const text = `the point before it is ${String(near)}`;
    throw new UserError(`--point ${String(point)}: nothing becomes durable there; ${text}`);
  }
  return (index) => index === chosen;
}

async function oneState(
  points: readonly CrashPoint[],
  index: number,
  lostText: string,
  [bench]: readonly CheckBench[],
): Promise<SearchResult> {
  const point = points[index];
  if (point === undefined || bench === undefined) throw new UserError("--lost needs a --point");
  const state = { point, lost: parseLost(lostText, point) };
  const checked = await bench.check(points, index, state);
  const failure = checked.isWell ? null : { index, state, checked };
  return { tallies: [{ point, states: 1 }], states: 1, failure, bench };
}

/** Who has said what is lost wants to see just that. */
async function smallestOf(
  { failure, bench }: SearchResult,
  points: readonly CrashPoint[],
  { lost }: CrashFlags,
): Promise<(Failure & { readonly checks: number }) | null> {
  if (failure === null || bench === null) return null;
  return lost === undefined ? minimiseFailure(failure, points, bench) : { ...failure, checks: 0 };
}
