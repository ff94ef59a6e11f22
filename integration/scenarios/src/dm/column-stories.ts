import type { Expectation, World } from "@blkstack/explorer";
import type { Story } from "../story.ts";
import { type Column, type ColumnName, COLUMNS } from "./columns.ts";

const WAYS: Readonly<Record<ColumnName, string>> = {
  "loop-none": "up to 4.10: all pieces of a bio are mapped in one call, and nobody is rescued",
  "loop-list0": "what is parked in the same driver call is rescued when a map sleeps",
  "loop-both": "4.11 to 4.15: what is parked on either list is rescued when a map first sleeps",
  "front-clone": "since 4.16: a piece at a time, the rest is sent to the device again",
  "front-clone-list0": "a piece at a time, and rescue besides",
  "front-clone-fifo": "a piece at a time, but parked bios are started first come, first served",
  "loop-unlocked":
    "all pieces in one call, and copies wait for reads without the lock, as since 5.2",
};

/** The same stack in each of the ways of the years; `DEADLOCK` in those that are named. */
export function columnStories(
  build: (world: World, column: Column) => Promise<void>,
  deadlocking: readonly ColumnName[],
  columns: readonly ColumnName[] = Object.keys(COLUMNS) as ColumnName[],
): Record<string, Story> {
  const stories: Record<string, Story> = {};
  for (const name of columns) {
    const isDeadlocking = deadlocking.includes(name);
    const expect: Expectation = isDeadlocking ? "DEADLOCK" : "ok";
    stories[name] = {
      expect,
      summary: WAYS[name],
      strategy: "dpor",
      build: (world) => build(world, COLUMNS[name]),
    };
  }
  return stories;
}
