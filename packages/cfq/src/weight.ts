import { BlockError } from "@blkstack/block";

const WEIGHT_MIN = 10;
const WEIGHT_MAX = 1000;
/** Of groups that nothing is said of. */
export const WEIGHT_DEFAULT = 500;
/** Of the root group, whose clients are those that nobody has put into another one. */
export const WEIGHT_ROOT = 1000;

/** Throws a BlockError, EINVAL, for what is no weight. */
export function checkWeight(group: string, weight: number): void {
  if (Number.isInteger(weight) && weight >= WEIGHT_MIN && weight <= WEIGHT_MAX) return;
  const range = `${String(WEIGHT_MIN)} to ${String(WEIGHT_MAX)}`;
  throw new BlockError(
    "BLK_DEVICE",
    "EINVAL",
    `group ${JSON.stringify(group)}: a weight of ${String(weight)}; give a whole number from ${range}`,
  );
}
