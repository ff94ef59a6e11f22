import { loadavg } from "node:os";
import Table from "cli-table3";
import { type AccuracyCell, CONTENDERS, throttleAccuracy } from "./throttle-accuracy.ts";
import {
  type DispatchCost,
  type IdleGroup,
  throttleDispatch,
  throttleIdleGroup,
} from "./throttle-groups.ts";
import { type IdleCost, throttleIdle } from "./throttle-idle.ts";

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
  // Before others have made garbage.
  const idleGroup = isWanted("groups memory") ? await throttleIdleGroup() : null;
  const idle = isWanted("idle") ? await throttleIdle() : [];
  const accuracy = await throttleAccuracy(rounds, seconds, isWanted);
  const dispatch = await throttleDispatch(isWanted);
  const load = loadavg()[0] ?? NaN;
  if (json) {
    console.log(JSON.stringify({ load, accuracy, idle, dispatch, idleGroup }));
    return;
  }
  if (accuracy.length > 0) showAccuracy(accuracy);
  if (idle.length > 0) showIdle(idle);
  if (dispatch.length > 0) showDispatch(dispatch);
  if (idleGroup !== null) showIdleGroup(idleGroup);
  console.log(`load: ${load.toFixed(1)}`);
}

function showAccuracy(cells: readonly AccuracyCell[]): void {
  const head = ["limit", "direction", ...CONTENDERS.flatMap((name) => [name, "worst second"])];
  const table = new Table({ head });
  for (const { limit, direction, contenders } of cells) {
    const shown = CONTENDERS.flatMap((name) => {
      const deviation = contenders.find((each) => each.name === name);
      if (deviation === undefined) return ["–", "–"];
      return [deviation.percent, deviation.worstSecondPercent].map(percentOf);
    });
    table.push([limit, direction, ...shown]);
  }
  console.log(table.toString());
}

function showIdle(costs: readonly IdleCost[]): void {
  const table = new Table({ head: ["no limits", "ns per bio", "without", "more"] });
  for (const { name, ns, withoutNs } of costs) {
    table.push([name, ns.toFixed(1), withoutNs.toFixed(1), (ns - withoutNs).toFixed(1)]);
  }
  console.log(table.toString());
}

function showDispatch(costs: readonly DispatchCost[]): void {
  const head = ["active groups", "bios of each in a slice", "ns to hold one and send it"];
  const table = new Table({ head });
  for (const { groups, biosPerSlice, ns } of costs) {
    table.push([String(groups), String(biosPerSlice), ns.toFixed(0)]);
  }
  console.log(table.toString());
}

function showIdleGroup({ unusedBytes, usedBytes, sharedBytes }: IdleGroup): void {
  console.log(
    `an idle group takes ${unusedBytes.toFixed(0)} bytes before its first bio, and ` +
      `${usedBytes.toFixed(0)} from then on, ${sharedBytes.toFixed(0)} of them its statistics`,
  );
}

function percentOf(percent: number): string {
  return `${percent > 0 ? "+" : ""}${percent.toFixed(2)} %`;
}
