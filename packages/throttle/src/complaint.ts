import { BlockError, type Errno } from "@blkstack/block";

/** A mistake in the names of groups, or no memory for them. */
export function complaint(errno: Errno, message: string): BlockError {
  return new BlockError("BLK_STATE", errno, message);
}
