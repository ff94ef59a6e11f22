import { potentialLines } from "./lockdep/potential-lines.ts";
import type { Report } from "./report.ts";

/** Thrown in a test when a schedule fails; its message tells the story, replay line and all. */
export class FoundError extends Error {
  override readonly name = "FoundError";
  readonly report: Report;

  constructor(report: Report, message: string = report.story) {
    super(message);
    this.report = report;
  }
}

export interface AssertOptions {
  /**
   * Which of the report's potentials make the test fail: those that a schedule has confirmed (the
   * default), or also those that none did; guarded ones never.
   */
  readonly potentials?: "confirmed" | "all";
  /** Where the potentials go that let the test pass. Default: a warning on the console. */
  readonly print?: (text: string) => void;
}

/** For tests: throws a FoundError, which tells the story, when something was found. */
export function assertNothingFound(report: Report, options: AssertOptions = {}): void {
  const { potentials = "confirmed", print = warn } = options;
  const open = report.potentials.filter(({ status }) => status !== "guarded");
  const fails = report.verdict === "found" || (potentials === "all" && open.length > 0);
  if (fails) throw new FoundError(report);
  if (open.length === 0) return;
  const name = `${report.scenario}:${report.variant}`;
  print([name, ...potentialLines(open, false)].join("\n"));
}

function warn(text: string): void {
  console.warn(text);
}
