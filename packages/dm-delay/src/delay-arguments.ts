import type { Sectors } from "@blkstack/bio";
import type { BlockDevice, TargetContext } from "@blkstack/block";

/** Where bios of one kind go, and how long after they came. */
export interface Route {
  readonly device: BlockDevice;
  readonly startSector: Sectors;
  readonly delayMs: number;
}

const ARGUMENTS_PER_ROUTE = 3;
/** A delay is counted in 32 bits; what is more wraps around, as it always did. */
const DELAY_LIMIT = 2n ** 32n;

/**
 * One, two or three routes: for reads, for writes, for flushes; who is not named goes with the one
 * before. Throws what `context.error` makes.
 */
export function parseRoutes(context: TargetContext): [Route, ...Route[]] {
  const count = context.args.length / ARGUMENTS_PER_ROUTE;
  if (![1, 2, 3].includes(count)) throw context.error("Requires exactly 3, 6 or 9 arguments");
  const others = Array.from({ length: count - 1 }, (_, index) => index + 1);
  const first = parseRoute(context, 0);
  return [first, ...others.map((index) => parseRoute(context, index))];
}

function parseRoute(context: TargetContext, index: number): Route {
  const from = index * ARGUMENTS_PER_ROUTE;
  const [name = "", start = "", delay = ""] = context.args.slice(from, from + ARGUMENTS_PER_ROUTE);
  const startSector = context.sector(start);
  if (!/^\d+$/.test(delay)) {
    const detail = `"${delay}" is no unsigned decimal number of milliseconds`;
    throw context.error("Invalid delay", "EINVAL", detail);
  }
  const delayMs = Number(BigInt(delay) % DELAY_LIMIT);
  return { device: context.openDevice(name), startSector, delayMs };
}
