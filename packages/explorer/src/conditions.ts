import { BioStatus, statusName } from "@blkstack/bio";

/** How many things may go wrong in one run, of those that may go wrong. */
export interface FaultBudget {
  /** Attempts to get memory that fail, each wherever the search likes. Default 0. */
  readonly allocFail?: number;
  /** Bios that a disk ends with an error, likewise. Default 0. */
  readonly ioError?: number;
  /** What such a bio may end with. Default: `BioStatus.IoError`. */
  readonly ioStatuses?: readonly BioStatus[];
}

/**
 * When a timer fires. "when-idle": when nobody can take a step; whatever is to be done takes no
 * time. "any-time": that, or at any point before, in the order of the timers' times; steps may take
 * as long as they like.
 */
export type TimerModel = "when-idle" | "any-time";

/** What may happen in a run besides one step after the other; a proof holds for these alone. */
export interface Conditions {
  readonly faults: Required<FaultBudget>;
  readonly timers: TimerModel;
}

/** As a variant or the options of a search give them, which may leave out anything. */
export interface GivenConditions {
  readonly faults?: FaultBudget;
  readonly timers?: TimerModel;
}

/** Nothing goes wrong, and work takes no time. */
const PLAIN: Conditions = {
  faults: { allocFail: 0, ioError: 0, ioStatuses: [BioStatus.IoError] },
  timers: "when-idle",
};

/** What comes later wins. Throws a `RangeError` for a budget that is no whole number from 0. */
export function conditionsOf(...given: readonly GivenConditions[]): Conditions {
  let { faults, timers } = PLAIN;
  for (const each of given) {
    faults = { ...faults, ...each.faults };
    timers = each.timers ?? timers;
  }
  assertBudget("allocFail", faults.allocFail);
  assertBudget("ioError", faults.ioError);
  if (faults.ioStatuses.length === 0) throw new RangeError("an I/O error without a status");
  return { faults, timers };
}

function assertBudget(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new RangeError(`${name} of ${String(count)}; it should be a whole number from 0`);
}

/** What is not plain, for people: `at most 1 failing allocation`. */
export function conditionsText({ faults, timers }: Conditions): string {
  const texts: string[] = [];
  const { allocFail, ioError, ioStatuses } = faults;
  if (allocFail > 0) texts.push(`at most ${countOf(allocFail, "failing allocation")}`);
  if (ioError > 0) {
    const statuses = ioStatuses.map(statusName).join(" or ");
    texts.push(`at most ${countOf(ioError, "failing bio")} (${statuses})`);
  }
  if (timers === "any-time") texts.push("timers at any time");
  return texts.join(", ");
}

function countOf(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** Words of a replay line: what is other than `usual`. */
export function wordsOfConditions(conditions: Conditions, usual: Conditions): readonly string[] {
  const words: string[] = [];
  const { faults, timers } = conditions;
  if (faults.allocFail !== usual.faults.allocFail)
    words.push(`+alloc-fail=${String(faults.allocFail)}`);
  if (faults.ioError !== usual.faults.ioError) words.push(`+io-error=${String(faults.ioError)}`);
  const statuses = faults.ioStatuses.join(",");
  if (statuses !== usual.faults.ioStatuses.join(",")) words.push(`+io-status=${statuses}`);
  if (timers !== usual.timers) words.push(`+timers=${timers}`);
  return words;
}

const WORD =
  /^\+(?:(alloc-fail|io-error)=(\d+)|io-status=(\d+(?:,\d+)*)|timers=(any-time|when-idle))$/;

/** Reads such a word into what was read before; null: it is none. */
export function readConditionWord(word: string, before: GivenConditions): GivenConditions | null {
  const [, budget, count, statuses, timers] = WORD.exec(word) ?? [];
  if (timers === "any-time" || timers === "when-idle") return { ...before, timers };
  const { faults = {} } = before;
  if (statuses !== undefined) {
    const ioStatuses = statuses.split(",").map((each) => Number(each) as BioStatus);
    return { ...before, faults: { ...faults, ioStatuses } };
  }
  if (budget === undefined) return null;
  const name = budget === "alloc-fail" ? "allocFail" : "ioError";
  return { ...before, faults: { ...faults, [name]: Number(count) } };
}
