import type { Finding } from "./finding.ts";
import type { Conditions } from "./conditions.ts";
import { type Input, isWhole, WHOLE } from "./input.ts";
import type { RecordedChoice, RecordedStep } from "./recorder.ts";
import type { RecordedRun, RunPlan } from "./run.ts";
import type { WaitSites } from "./wait-sites.ts";

export const TRACE_FORMAT = "blkstack-trace";
export const TRACE_VERSION = 1;

/** One run, to be kept in a file as JSON and repeated to the letter. */
export interface Trace {
  readonly format: typeof TRACE_FORMAT;
  readonly version: typeof TRACE_VERSION;
  readonly scenario: string;
  readonly variant: string;
  /** Of the scenario's own `random`. */
  readonly seed: number;
  readonly stepsMax: number;
  readonly finding: Finding | null;
  /** What was taken away from the scenario; nothing where it is missing. */
  readonly input?: Input;
  /** Where in the code the tasks wait that the run leaves behind, by name, innermost call first. */
  readonly waitSites?: WaitSites;
  /** What could go wrong, and when timers fired; where it is missing, as the variant says. */
  readonly conditions?: Conditions;
  /** All that is needed to repeat it. */
  readonly choices: readonly RecordedChoice[];
  /** What happened, for people and to compare with. */
  readonly steps: readonly RecordedStep[];
}

/** Thrown when a file is no trace, or one of another version. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError";
}

/** Reads a trace. Throws a TraceFormatError that says what is wrong with it. */
export function parseTrace(text: string): Trace {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TraceFormatError("not a trace: not JSON", { cause: error });
  }
  if (!isRecord(value) || value["format"] !== TRACE_FORMAT) {
    throw new TraceFormatError(`not a trace: no "format": "${TRACE_FORMAT}"`);
  }
  if (value["version"] !== TRACE_VERSION) {
    const version = String(value["version"]);
    throw new TraceFormatError(
      `a trace of version ${version}; this reads ${String(TRACE_VERSION)}`,
    );
  }
  for (const key of ["scenario", "variant"]) expectType(value, key, "string");
  for (const key of ["seed", "stepsMax"]) expectType(value, key, "number");
  for (const key of ["choices", "steps"]) {
    if (!Array.isArray(value[key])) throw new TraceFormatError(`a trace without "${key}"`);
  }
  const { input = WHOLE } = value;
  if (!isRecord(input) || !Array.isArray(input["without"]) || !isRecord(input["amounts"])) {
    throw new TraceFormatError('a trace with a wrong "input"');
  }
  return value as unknown as Trace;
}

function expectType(value: Record<string, unknown>, key: string, type: string): void {
  if (typeof value[key] !== type) throw new TraceFormatError(`a trace without "${key}"`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The trace of a recorded run. */
export function makeTrace(
  plan: Pick<RunPlan, "scenario" | "variant" | "seed" | "stepsMax" | "conditions">,
  finding: Finding | null,
  { recorder: { choices, steps }, input }: RecordedRun,
  waitSites: WaitSites,
): Trace {
  const { scenario, variant, seed, stepsMax, conditions } = plan;
  const head = { format: TRACE_FORMAT, version: TRACE_VERSION } as const;
  const known = conditions === undefined ? {} : { conditions };
  const of = { ...head, scenario: scenario.name, variant, seed, stepsMax, ...known, finding };
  return {
    ...of,
    ...(isWhole(input) ? {} : { input }),
    ...(Object.keys(waitSites).length === 0 ? {} : { waitSites }),
    choices,
    steps,
  };
}
