import type { RecordedStep } from "./recorder.ts";
import { stepsThatMatter } from "./slice.ts";
import type { Recorded } from "./story.ts";

/** So many steps in a row that do not matter are told of in one line; one is just told. */
const FOLDED_MIN = 2;
/** Of more steps that matter only the first and the last are told. */
const TOLD_MAX = 200;
const TOLD_FIRST = 40;

/** One line per step; those that do not matter for the failure are folded. */
export function scheduleLines({
  outcome,
  recorder,
  input,
  vocabularies,
  length,
}: Recorded): string[] {
  const { steps } = recorder;
  const width = Math.max(0, ...steps.map(({ actor }) => actor.length));
  const tell = (step: RecordedStep, index: number): string => stepLine(step, index, width);
  if (length === "full") return steps.map(tell);
  const matter = stepsThatMatter({ outcome, recorder, input }, vocabularies);
  const lines: string[] = [];
  for (let index = 0; index < steps.length;) {
    const matters = matter[index] === true;
    const after = matter.findIndex((each, at) => at > index && each !== matters);
    const end = after < 0 ? steps.length : after;
    const stretch = steps.slice(index, end);
    if (matters || stretch.length < FOLDED_MIN) {
      for (const [offset, step] of stretch.entries()) lines.push(tell(step, index + offset));
    } else lines.push(foldedLine(stretch));
    index = end;
  }
  return shortened(lines);
}

function stepLine(
  { actor, what, notes, isPreemption }: RecordedStep,
  index: number,
  width: number,
): string {
  const mark = isPreemption ? "!" : " ";
  const also = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
  return `  ${String(index + 1).padStart(4)} ${mark} ${actor.padEnd(width)}  ${what}${also}`;
}

/** `… 14 steps of submitter-2, fio that do not matter`. */
function foldedLine(steps: readonly RecordedStep[]): string {
  const who = [...new Set(steps.map(({ actor }) => actor))].join(", ");
  return `     … ${String(steps.length)} steps of ${who} that do not matter`;
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= TOLD_MAX) return [...lines];
  const last = lines.slice(lines.length - (TOLD_MAX - TOLD_FIRST));
  const left = lines.length - TOLD_MAX;
  return [...lines.slice(0, TOLD_FIRST), `     … ${String(left)} lines more`, ...last];
}
