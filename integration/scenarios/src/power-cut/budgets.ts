import { type CrashCounts, explore, type Report } from "@blkstack/explorer";
import { powerCut } from "./index.ts";

/** What a variant came to: in one schedule without switches, and then in some by lot. */
export interface CutResult {
  readonly variant: string;
  readonly reports: readonly Report[];
}

/** Schedules by lot of each variant that is to be survived; there are too many to take all. */
export const LOTS: Readonly<Record<string, number>> = {
  "three-copies": 100,
  "next-area": 20,
  "partial-chunks": 20,
  merge: 12,
  overflow: 60,
  "written-behind": 20,
};
const LOTS_OF_MISTAKES = 60;

/** Cuts the power all along those schedules. What one search has recovered the next one does again. */
export async function cutAllAlong(variant: string): Promise<CutResult> {
  const reports: Report[] = [];
  const common = { after: "first", lockdep: false, audits: "off" } as const;
  reports.push(
    await explore(powerCut, variant, { ...common, strategy: "preemptions", executions: 1 }),
  );
  if (reports[0]?.verdict !== "found") {
    const executions = LOTS[variant] ?? LOTS_OF_MISTAKES;
    reports.push(await explore(powerCut, variant, { ...common, strategy: "random", executions }));
  }
  return { variant, reports };
}

/** The larger of the two: some states and images are in both. */
export function countsOf({ reports }: CutResult): CrashCounts {
  const none: CrashCounts = { states: 0, sampledStates: 0, images: 0, distinctImages: 0 };
  return reports.reduce(
    (most, { crash }) => (crash !== null && crash.images > most.images ? crash : most),
    none,
  );
}
