import type { RecordedStep } from "../recorder.ts";
import type { Trace } from "../trace.ts";

/** A step has no length; this many microseconds are shown for each. */
const STEP_US = 1_000;

/** One event of the trace format that Chrome and Perfetto read. */
export interface ChromeEvent {
  readonly name: string;
  /** X: a slice; s, t: a flow begins, goes on; M: a name. */
  readonly ph: "X" | "s" | "t" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A run for chrome://tracing or ui.perfetto.dev: actors are rows, bios are flows between them. */
export function toChromeTrace({ scenario, variant, steps }: Trace): {
  readonly traceEvents: readonly ChromeEvent[];
} {
  const rows = [...new Set(steps.map(({ actor }) => actor))];
  const events: ChromeEvent[] = [
    { name: "process_name", ph: "M", pid: 1, tid: 0, args: { name: `${scenario}:${variant}` } },
    ...rows.map((name, tid) => named(name, tid)),
  ];
  const seen = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const at = { pid: 1, tid: rows.indexOf(step.actor), ts: index * STEP_US };
    const { what, notes, isPreemption } = step;
    const args = { step: index + 1, notes, isPreemption };
    events.push({ name: what, ph: "X", cat: "step", ...at, dur: STEP_US, args });
    for (const bio of biosOf(step)) {
      const ph = seen.has(bio) ? "t" : "s";
      seen.add(bio);
      const id = Number(bio.slice("bio#".length));
      events.push({ name: bio, ph, cat: "bio", id, ...at, ts: at.ts + STEP_US / 2 });
    }
  }
  return { traceEvents: events };
}

function named(name: string, tid: number): ChromeEvent {
  return { name: "thread_name", ph: "M", pid: 1, tid, args: { name } };
}

/** The bios that the step moved or ended. */
function biosOf({ what, moved = [] }: RecordedStep): Set<string> {
  return new Set([what, ...moved].flatMap((text) => /bio#\d+/.exec(text) ?? []));
}
