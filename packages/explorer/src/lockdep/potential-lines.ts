import type { Potential } from "./potential.ts";

/**
 * What could have gone wrong, in words; nothing of what the report itself shows. The last line of
 * a potential that was confirmed says how to see it.
 */
export function potentialLines(
  potentials: readonly Potential[],
  isFound: boolean,
): readonly string[] {
  return potentials.flatMap((potential) => {
    const { status, replayLine, rule, message, places } = potential;
    if (isFound && status === "confirmed" && replayLine === null) return [];
    const seen = places.map(({ actor, step, run }) => `${actor}: ${step}, in run ${String(run)}`);
    const lines = [
      `${headOf(potential)}  ${rule}: ${message}`,
      ...seen.map((each) => `    ${each}`),
    ];
    if (replayLine !== null) lines.push(`    replay: blkstack replay "${replayLine}"`);
    return lines;
  });
}

function headOf({ rule, status, runs, guard }: Potential): string {
  if (status === "guarded") return `GUARDED (by ${String(guard)})`;
  if (status === "confirmed") return "CONFIRMED";
  if (status === "unreachable") return "POTENTIAL (no schedule of this scenario comes to it)";
  if (rule === "interrupt") return "POTENTIAL (not confirmed: no schedule can show it)";
  return `POTENTIAL (not confirmed in ${String(runs)} ${runs === 1 ? "run" : "runs"})`;
}
