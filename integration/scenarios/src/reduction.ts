import { explore, type ExploreOptions, type Report, type Scenario } from "@blkstack/explorer";

/** How many runs it takes to see all of a variant, in three ways. */
export interface ReductionRow {
  readonly name: string;
  readonly every: Seen;
  /** One schedule of each class. */
  readonly reduced: Seen;
  /** From each state that was not seen before. */
  readonly merged: Seen;
}

interface Seen {
  readonly verdict: string;
  readonly runs: number;
  readonly isComplete: boolean;
}

/** `seconds`: what each of the three may take; then it is not complete. */
export async function reductionOf(
  scenario: Scenario,
  variant: string,
  seconds: number,
): Promise<ReductionRow> {
  const search = async (options: ExploreOptions): Promise<Seen> =>
    seenIn(await explore(scenario, variant, { ...options, seconds, after: "all" }));
  return {
    name: `${scenario.name}:${variant}`,
    every: await search({ strategy: "exhaustive", dedupe: "none" }),
    reduced: await search({ strategy: "dpor", dedupe: "none" }),
    merged: await search({ strategy: "exhaustive", dedupe: "states" }),
  };
}

function seenIn({ verdict, kind, runs, isComplete }: Report): Seen {
  return { verdict: kind ?? verdict, runs, isComplete };
}

/** One line for people: a plus stands behind what was not complete. */
export function textOfReduction({ name, every, reduced, merged }: ReductionRow): string {
  const text = ({ verdict, runs, isComplete }: Seen): string =>
    `${verdict} ${String(runs)}${isComplete ? "" : "+"}`;
  return `${name}: every schedule ${text(every)}, reduced ${text(reduced)}, merged ${text(merged)}`;
}
