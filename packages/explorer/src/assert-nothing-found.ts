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

/** For tests: throws a FoundError, which tells the story, when something was found. */
export function assertNothingFound(report: Report): void {
  if (report.verdict === "found") throw new FoundError(report);
}
