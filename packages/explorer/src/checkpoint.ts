import type { Finding, FindingKind } from "./finding.ts";
import type { TallyCounts } from "./report.ts";
import { fieldIn, numberIn, numbersIn, SavedStateError, stringIn } from "./saved.ts";

export const CHECKPOINT_FORMAT = "blkstack-checkpoint";
export const CHECKPOINT_VERSION = 1;

/** Where a search stands between two runs; JSON keeps it. */
export interface Checkpoint {
  readonly format: typeof CHECKPOINT_FORMAT;
  readonly version: typeof CHECKPOINT_VERSION;
  readonly scenario: string;
  readonly variant: string;
  /** What the search depends on: a search with others is another search. */
  readonly options: Readonly<Record<string, string | number | null>>;
  readonly tally: TallyCounts;
  readonly elapsedMs: number;
  /** Longer runs were not looked for any more. */
  readonly stepsMax: number;
  readonly decidedBy: string | null;
  /** The shortest failure so far. */
  readonly best: {
    readonly taken: readonly number[];
    readonly finding: Finding;
    readonly steps: number;
  } | null;
  /** The strategy's own. */
  readonly state: unknown;
}

/** Keeps checkpoints; only the last one matters. Waits: until it is kept. */
export interface CheckpointStore {
  save(checkpoint: Checkpoint): Promise<void> | undefined;
}

/** Thrown when a text is no checkpoint, or when it is one of another search. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** Reads a checkpoint. Throws a CheckpointError that says what is wrong with it. */
export function parseCheckpoint(text: string): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError("not a checkpoint: not JSON", { cause: error });
  }
  try {
    return checkpointOf(value);
  } catch (error) {
    if (!(error instanceof SavedStateError)) throw error;
    throw new CheckpointError(`not a checkpoint: ${error.message}`, { cause: error });
  }
}

/** Throws a CheckpointError that names what differs when the checkpoint is of another search. */
export function assertSameSearch(
  checkpoint: Checkpoint,
  search: Pick<Checkpoint, "scenario" | "variant" | "options">,
): void {
  const differing: string[] = [];
  const compare = (what: string, saved: unknown, now: unknown): void => {
    if (saved !== now) differing.push(`${what} ${text(saved)}, now ${text(now)}`);
  };
  compare("scenario", checkpoint.scenario, search.scenario);
  compare("variant", checkpoint.variant, search.variant);
  const names = new Set([...Object.keys(checkpoint.options), ...Object.keys(search.options)]);
  for (const name of names) compare(name, checkpoint.options[name], search.options[name]);
  if (differing.length === 0) return;
  throw new CheckpointError(`a checkpoint of another search: ${differing.join("; ")}`);
}

function text(value: unknown): string {
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}

function checkpointOf(value: unknown): Checkpoint {
  if (fieldIn(value, "format") !== CHECKPOINT_FORMAT) {
    throw new SavedStateError(`no "format": "${CHECKPOINT_FORMAT}"`);
  }
  const version = fieldIn(value, "version");
  if (version !== CHECKPOINT_VERSION) {
    const known = String(CHECKPOINT_VERSION);
    throw new CheckpointError(`a checkpoint of version ${text(version)}; this reads ${known}`);
  }
  const decidedBy = fieldIn(value, "decidedBy");
  return {
    format: CHECKPOINT_FORMAT,
    version,
    scenario: stringIn(value, "scenario"),
    variant: stringIn(value, "variant"),
    options: optionsIn(value),
    tally: tallyIn(fieldIn(value, "tally")),
    elapsedMs: numberIn(value, "elapsedMs"),
    stepsMax: numberIn(value, "stepsMax"),
    decidedBy: decidedBy === null ? null : stringIn(value, "decidedBy"),
    best: bestIn(fieldIn(value, "best")),
    state: fieldIn(value, "state"),
  };
}

function optionsIn(value: unknown): Checkpoint["options"] {
  const options = fieldIn(value, "options");
  if (typeof options === "object" && options !== null && !Array.isArray(options)) {
    return options as Checkpoint["options"];
  }
  throw new SavedStateError('"options" are none');
}

function tallyIn(value: unknown): TallyCounts {
  return {
    runs: numberIn(value, "runs"),
    steps: numberIn(value, "steps"),
    schedules: numberIn(value, "schedules"),
    failingRuns: numberIn(value, "failingRuns"),
    healedRuns: numberIn(value, "healedRuns"),
    loopingRuns: numberIn(value, "loopingRuns"),
    runsUntilFound: numberIn(value, "runsUntilFound"),
  };
}

function bestIn(value: unknown): Checkpoint["best"] {
  if (value === null) return null;
  const finding = fieldIn(value, "finding");
  const kind = stringIn(finding, "kind") as FindingKind;
  const message = stringIn(finding, "message");
  const steps = numberIn(value, "steps");
  return { taken: numbersIn(value, "taken"), finding: { kind, message }, steps };
}
