import type { Stack } from "@blkstack/stack";
import { snapshotFault } from "./target-status.ts";

/** An error of a disk makes a server ill for so long. */
const ERROR_MS = 60_000;

/** What is wrong with a stack that serves, each in a few words; nothing when all is well. */
export function ailmentsOf({ mapper, disks }: Stack, nowMs: number): string[] {
  const ailments: string[] = [];
  for (const { name } of mapper.list()) {
    if (!mapper.info(name).hasLiveTable) ailments.push(`device "${name}" has no table`);
    for (const line of mapper.status(name)) {
      const fault = snapshotFault(line);
      if (fault !== null) ailments.push(`snapshot "${name}": ${fault}`);
    }
  }
  for (const { name, queue } of disks.values()) {
    const errorMs = queue.account?.stats.lastErrorMs ?? -Infinity;
    if (nowMs - errorMs <= ERROR_MS) ailments.push(`disk "${name}": I/O error in the last minute`);
  }
  return ailments;
}
