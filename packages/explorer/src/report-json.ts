import type { Report } from "./report.ts";

export const REPORT_FORMAT = "blkstack-report";
export const REPORT_VERSION = 1;

/**
 * A report as plain data. Fields are added without a new version; none goes away or changes its
 * meaning without one. All of it survives JSON.
 */
export interface ReportJson extends Report {
  readonly format: typeof REPORT_FORMAT;
  readonly version: typeof REPORT_VERSION;
  /** Where tasks can change places: what "all schedules" are all of. */
  readonly granularity: "announced steps";
}

/** The report as data for programs; the trace in it is one that `replay` takes. */
export function reportToJson(report: Report): ReportJson {
  const head = { format: REPORT_FORMAT, version: REPORT_VERSION } as const;
  return { ...head, granularity: "announced steps", ...report };
}
