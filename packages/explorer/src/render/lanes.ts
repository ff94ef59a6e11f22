import type { RecordedStep } from "../recorder.ts";
import type { Trace } from "../trace.ts";
import { journeysOf, laneOf, lanesOf } from "./lanes-of.ts";

/** A lane is as wide as what happens in it, but no wider. */
const WIDTH_MAX = 32;
const GAP = "  ";

/**
 * A run as text, side by side: a column for each task and each device, a row for each step, and
 * below that where each bio went. `!` is a preemption, `~` a step that ends in sleep.
 */
export function toLanes({ steps }: Trace): string {
  const lanes = lanesOf(steps);
  const cells = steps.map(cellText);
  const widths = lanes.map((lane) => {
    const own = cells.filter((_, index) => laneOf(stepAt(steps, index)) === lane);
    return Math.min(WIDTH_MAX, Math.max(lane.length, ...own.map((text) => text.length)));
  });
  const row = (number: string, told: readonly string[]): string => {
    const texts = told.map((text, lane) => fitted(text, widths[lane] ?? 0));
    return [number.padStart(4), ...texts].join(GAP).trimEnd();
  };
  const rows = steps.map((step, index) =>
    row(
      String(index + 1),
      lanes.map((lane) => (lane === laneOf(step) ? (cells[index] ?? "") : "|")),
    ),
  );
  return [row("step", lanes), ...rows, ...bioLines(steps)].join("\n");
}

function cellText({ what, notes, isPreemption }: RecordedStep): string {
  const sleeps = notes.some((note) => note.startsWith("sleeps"));
  return `${isPreemption ? "! " : ""}${what}${sleeps ? " ~" : ""}`;
}

function stepAt(steps: readonly RecordedStep[], index: number): Pick<RecordedStep, "actor"> {
  return steps[index] ?? { actor: "" };
}

function fitted(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`;
}

/** `bio#2  step 2 submitter-2, step 5 disk "sda"`. */
function bioLines(steps: readonly RecordedStep[]): string[] {
  const journeys = [...journeysOf(steps)];
  if (journeys.length === 0) return [];
  const width = Math.max(...journeys.map(([bio]) => bio.length));
  const lines = journeys.map(([bio, journey]) => {
    const stations = journey.map(
      (index) => `step ${String(index + 1)} ${laneOf(stepAt(steps, index))}`,
    );
    return `${bio.padEnd(width)}${GAP}${stations.join(", ")}`;
  });
  return ["", ...lines];
}
