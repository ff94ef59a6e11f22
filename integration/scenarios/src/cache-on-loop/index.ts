import type { Scenario } from "@blkstack/explorer";
import { scenarioOf, type Story } from "../story.ts";
import { COLUMNS, type Column } from "./columns.ts";
import { type Generation, GENERATIONS } from "./generations.ts";
import { ASKS_NOFS, CacheOnLoop } from "./setting.ts";
import { WAYS_OUT } from "./ways-out.ts";

/** Deadlock or none, by generation, in the order of the columns. */
const EXPECTED: Readonly<Record<keyof typeof GENERATIONS, string>> = {
  "io-flag": "X·X·XX",
  "io-flag-joined": "··X··X",
  "fs-flag": "··X··X",
  "locks-always": "··XXXX",
  "trylock-always": "······",
  workqueue: "······",
};

function storyOf(generation: Generation, column: Column, isDeadlock: boolean): Story {
  return {
    expect: isDeadlock ? "DEADLOCK" : "ok",
    summary: `${generation.name}; ${column.name}`,
    strategy: "dpor",
    async build(world) {
      const setting = await CacheOnLoop.build(world, generation, column.worker);
      if (column.hasFilesystemTask) setting.spawnFilesystemTask(ASKS_NOFS);
      if (column.hasProgram) setting.spawnProgram();
    },
  };
}

function cells(): [variant: string, story: Story][] {
  return Object.entries(GENERATIONS).flatMap(([row, generation]) =>
    Object.entries(COLUMNS).map(([column, cast], index): [string, Story] => {
      const isDeadlock = EXPECTED[row as keyof typeof GENERATIONS][index] === "X";
      return [`${row}-${column}`, storyOf(generation, cast, isDeadlock)];
    }),
  );
}

/** Who is short of memory has a cache give some, which lies on a file of the filesystem that needs it. */
export const cacheOnLoop: Scenario = scenarioOf(
  "cache-on-loop",
  "a dirty block can be given back only by I/O through a filesystem that is short of memory itself",
  { ...Object.fromEntries(cells()), ...WAYS_OUT },
);
