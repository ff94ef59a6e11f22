import type { Progress } from "@blkstack/explorer";
import type { TextOutput } from "./cli-io.ts";

/** One line on a terminal that is written over and over; of lines, where it is asked for elsewhere. */
export class ProgressLine {
  readonly #output: TextOutput;
  readonly #isShown: boolean;
  readonly #isTerminal: boolean;

  /** `wish`: whether it is wanted at all; undefined: on a terminal. */
  constructor(output: TextOutput, wish: boolean | undefined) {
    this.#output = output;
    this.#isTerminal = output.isTTY === true;
    this.#isShown = wish ?? this.#isTerminal;
  }

  show(name: string, progress: Progress): void {
    if (this.#isShown) this.showText(`${name}: ${progressText(progress)}`);
  }

  showText(text: string): void {
    if (!this.#isShown) return;
    this.#output.write(this.#isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  clear(): void {
    if (this.#isShown && this.#isTerminal) this.#output.write("\r\u001b[K");
  }
}

/** `12000 runs, 8500 runs/s, 96000 steps/s, 120 states, about 4000 runs left`. */
export function progressText(progress: Progress): string {
  const { runs, runsPerSecond, stepsPerSecond, states, coverage, failingRuns } = progress;
  const { boundRunning, runsLeft, parts } = progress;
  const texts = [
    `${String(runs)} runs`,
    `${rounded(runsPerSecond)} runs/s`,
    `${rounded(stepsPerSecond)} steps/s`,
  ];
  if (states !== null) texts.push(`${String(states)} states`);
  if (coverage !== null) {
    texts.push(`${String(coverage.orders)} orders`, `${String(coverage.handOffs)} hand-offs`);
  }
  if (parts !== null) texts.push(`${String(parts.done)} of ${String(parts.total)} parts`);
  if (boundRunning !== null) texts.push(`at ${String(boundRunning.count)} ${boundRunning.measure}`);
  if (runsLeft !== null) texts.push(`about ${rounded(runsLeft)} runs left`);
  if (failingRuns > 0) texts.push(`${String(failingRuns)} failed`);
  return texts.join(", ");
}

/** More than three figures would claim too much. */
function rounded(amount: number): string {
  return Number(amount.toPrecision(3)).toFixed(0);
}
