import type { Trace } from "../trace.ts";
import { journeysOf, laneOf, lanesOf } from "./lanes-of.ts";

/** A step has no length; this many microseconds are shown for each. */
const STEP_US = 1_000;

/** One event of the trace format that Chrome and Perfetto read. */
export interface ChromeEvent {
  readonly name: string;
  /** X: a slice; s, t, f: a flow begins, goes on, ends; M: a name. */
  readonly ph: "X" | "s" | "t" | "f" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: number;
  /** Of a flow's end: it belongs to the slice around it, not to the next one. */
  readonly bp?: "e";
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * A run for chrome://tracing or ui.perfetto.dev: tasks and devices are rows, steps are slices, and
 * each bio is a flow from step to step.
 */
export function toChromeTrace({ scenario, variant, steps }: Trace): {
  readonly traceEvents: readonly ChromeEvent[];
} {
  const lanes = lanesOf(steps);
  const places = steps.map((step, index) => ({
    pid: 1,
    tid: lanes.indexOf(laneOf(step)),
    ts: index * STEP_US,
  }));
  const slices = steps.map(({ actor, what, notes, isPreemption }, index): ChromeEvent => {
    const args = { step: index + 1, actor, notes, isPreemption };
    return { name: what, ph: "X", cat: "step", ...at(places, index), dur: STEP_US, args };
  });
  const flows = [...journeysOf(steps)].flatMap(([bio, journey]) =>
    journey.map((index, leg) => flow(bio, legOf(leg, journey), at(places, index))),
  );
  return {
    traceEvents: [
      { name: "process_name", ph: "M", pid: 1, tid: 0, args: { name: `${scenario}:${variant}` } },
      ...lanes.map((name, tid) => named(name, tid)),
      ...slices,
      ...flows,
    ],
  };
}

interface Position {
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
}

function at(places: readonly Position[], index: number): Position {
  return places[index] ?? { pid: 1, tid: 0, ts: 0 };
}

function legOf(leg: number, journey: readonly number[]): "s" | "t" | "f" {
  if (leg === 0) return "s";
  return leg === journey.length - 1 ? "f" : "t";
}

/** In the middle of its slice, so that it is bound to that one. */
function flow(bio: string, ph: "s" | "t" | "f", place: Position): ChromeEvent {
  const id = Number(bio.slice("bio#".length));
  const event = { name: bio, ph, cat: "bio", id, ...place, ts: place.ts + STEP_US / 2 };
  return ph === "f" ? { ...event, bp: "e" } : event;
}

function named(name: string, tid: number): ChromeEvent {
  return { name: "thread_name", ph: "M", pid: 1, tid, args: { name } };
}
