import { loadavg } from "node:os";
import Table from "cli-table3";
import { type AccuracyCell, throttleAccuracy } from "./throttle-accuracy.ts";

export interface ThrottleBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** What must be part of the name of what is measured. */
  readonly only: string;
  readonly json: boolean;
}

/** How exact limits are, and what they cost. */
export async function benchThrottle({
  rounds,
  seconds,
  only,
  json,
}: ThrottleBenchOptions): Promise<void> {
  const isWanted = (name: string): boolean => name.includes(only);
  const accuracy = await throttleAccuracy(rounds, seconds, isWanted);
  const load = loadavg()[0] ?? NaN;
  if (json) {
    console.log(JSON.stringify({ load, accuracy }));
    return;
  }
  if (accuracy.length > 0) showAccuracy(accuracy);
  console.log(`load: ${load.toFixed(1)}`);
}

function showAccuracy(cells: readonly AccuracyCell[]): void {
  const names = ["blkstack", "nbdkit rate", "qemu throttle"];
  const head = ["limit", "direction", ...names.flatMap((name) => [name, "worst second"])];
  const table = new Table({ head });
  for (const { limit, direction, contenders } of cells) {
    const shown = names.flatMap((name) => {
      const deviation = contenders.find((each) => each.name === name);
      if (deviation === undefined) return ["–", "–"];
      return [deviation.percent, deviation.worstSecondPercent].map(percentOf);
    });
    table.push([limit, direction, ...shown]);
  }
  console.log(table.toString());
}

function percentOf(percent: number): string {
  return `${percent > 0 ? "+" : ""}${percent.toFixed(2)} %`;
}
