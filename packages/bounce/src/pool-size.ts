import { BlockError } from "@blkstack/block";

/** How much of a pool may be held at once by those who wait for more of it. */
export interface PoolLoad {
  /** Tasks that take elements of the pool at the same time. Sleepers count: CPUs are no bound. */
  readonly mappers: number;
  /** Elements that each of them takes before any is on its way back. */
  readonly each: number;
}

/**
 * The smallest reserve with which nobody waits for ever: the worst is that every mapper has all
 * it wants but one, and then one more must be left.
 */
export function poolSizeFor({ mappers, each }: PoolLoad): number {
  return mappers * (each - 1) + 1;
}

/**
 * Holds a reserve to `poolSizeFor`. Throws a BlockError (`BLK_LIMITS`) that says what it must be.
 */
export function assertPoolSize(label: string, reserve: number, load: PoolLoad): void {
  const wanted = poolSizeFor(load);
  if (reserve >= wanted) return;
  throw new BlockError(
    "BLK_LIMITS",
    "EINVAL",
    `${label}: ${String(reserve)} in reserve, and ${String(load.mappers)} tasks that take ` +
      `${String(load.each)} each before any comes back; give it ${String(wanted)}`,
  );
}
