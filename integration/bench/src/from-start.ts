import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REPEATS = 5;

/** Milliseconds from the start of a process to its end, which has told of one deadlock; median. */
export async function msFromStart(scenario: string, variant: string): Promise<number> {
  const program = fileURLToPath(new URL("one-report.js", import.meta.url));
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const startedMs = performance.now();
    const { stdout } = await promisify(execFile)(process.execPath, [program, scenario, variant]);
    times.push(performance.now() - startedMs);
    if (!stdout.includes("DEADLOCK")) throw new Error(`${scenario}:${variant} told: ${stdout}`);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(REPEATS / 2)] ?? Number.NaN;
}
