import { setImmediate } from "node:timers";
import type { Bytes } from "@blkstack/bio";

/**
 * The most that one bio without data is for: what bios count in 32 bits, down to a power of two, so
 * that a change of whole blocks is cut between blocks.
 */
export const STEP_BYTES_MAX: Bytes = 2 ** 31;

/**
 * Lets sockets and other requests have their turn: where the device ends its bios at once, a long
 * request would go on through all of its steps before anybody else is heard.
 */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
