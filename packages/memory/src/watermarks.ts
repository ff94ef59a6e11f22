import { invariant } from "@blkstack/bio";

/** How many pages a system has, and how few may be free. */
export interface PageBudget {
  readonly totalPages: number;
  /** What only emergencies may take: allocations wait or fail before it. Default: a 64th. */
  readonly minPages?: number;
  /** Fewer free pages wake background reclaim. Default: a quarter above `minPages`. */
  readonly lowPages?: number;
  /** Background reclaim rests when so many are free. Default: half above `minPages`. */
  readonly highPages?: number;
}

/** Throws an InvariantError for watermarks that are no order of each other. */
export function watermarksOf(budget: PageBudget): Required<PageBudget> {
  const { totalPages } = budget;
  const minPages = budget.minPages ?? Math.floor(totalPages / 64);
  const lowPages = budget.lowPages ?? minPages + Math.ceil(minPages / 4);
  const highPages = budget.highPages ?? Math.max(lowPages, minPages + Math.ceil(minPages / 2));
  const isOrdered =
    Number.isSafeInteger(totalPages) &&
    0 <= minPages &&
    minPages <= lowPages &&
    lowPages <= highPages &&
    highPages <= totalPages;
  const text = [minPages, lowPages, highPages, totalPages].map(String).join(" <= ");
  if (!isOrdered) invariant(false, `watermarks of memory: not so: 0 <= ${text}`);
  return { totalPages, minPages, lowPages, highPages };
}
