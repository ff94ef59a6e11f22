import { fsFlag, type ShrinkerGeneration, trylockAlways, workQueue } from "@blkstack/bufio";
import type { Expectation, World } from "@blkstack/explorer";
import { GFP_KERNEL } from "@blkstack/task";
import type { Story } from "../story.ts";
import { CONTENT, GREEDY, SCOPED } from "./columns.ts";
import { GENERATIONS } from "./generations.ts";
import { ASKS_NOFS, CacheOnLoop, type LoopWorker } from "./setting.ts";
import {
  countLocks,
  inlineWhenIdle,
  neverWrites,
  promisesTwice,
  requestedMask,
} from "./wrong-shrinkers.ts";

interface Cast {
  readonly shrinker?: ShrinkerGeneration;
  readonly worker?: LoopWorker;
  play(setting: CacheOnLoop, world: World): void;
}

function storyOf(expect: Expectation, summary: string, cast: Cast): Story {
  const { shrinker = GENERATIONS["io-flag"].shrinker, worker = CONTENT } = cast;
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const generation = { name: shrinker.name, shrinker, joinedScopes: false };
      cast.play(await CacheOnLoop.build(world, generation, worker), world);
    },
  };
}

const inKernelMask = { gfp: GFP_KERNEL, scope: "nofs", allocates: "in-transaction" } as const;

function program(setting: CacheOnLoop): void {
  setting.spawnProgram();
}

/** The block is given back in the end, and was not promised more often than it is there. */
function expectOneEviction(setting: CacheOnLoop, world: World): void {
  world.atEnd(() => {
    const { evictions, shrinksPromised } = setting.cache.counters;
    return [
      ...(evictions === 1 ? [] : [`${String(evictions)} blocks were given back; 1 could be`]),
      ...(shrinksPromised <= 1 ? [] : [`1 block was promised ${String(shrinksPromised)} times`]),
    ];
  });
}

/** What else was proposed, and what does not suffice. */
export const WAYS_OUT: Readonly<Record<string, Story>> = {
  "noio-worker-alone": storyOf(
    "DEADLOCK",
    "the worker is not the one that allocates: a scope of its own does not reach who waits for it",
    {
      worker: SCOPED,
      play: (setting) => {
        setting.spawnFilesystemTask(ASKS_NOFS);
      },
    },
  ),
  "noio-filesystem": storyOf("ok", "a noio scope of the filesystem's own would do", {
    play: (setting) => {
      setting.spawnFilesystemTask({ ...ASKS_NOFS, scope: "noio" });
    },
  }),
  "page-before-transaction": storyOf("ok", "who waits for I/O holds no lock that it needs", {
    play: (setting) => {
      setting.spawnFilesystemTask({ ...ASKS_NOFS, allocates: "before-transaction" });
    },
  }),
  "nofs-scope": storyOf("ok", "shrinkers are told what the scope has left of the mask", {
    shrinker: fsFlag,
    play: (setting) => {
      setting.spawnFilesystemTask(inKernelMask);
    },
  }),
  "requested-mask": storyOf("DEADLOCK", "a shrinker that goes by the mask without the scope", {
    shrinker: requestedMask,
    play: (setting) => {
      setting.spawnFilesystemTask(inKernelMask);
    },
  }),
  "scope-of-the-binder": storyOf("DEADLOCK", "a scope stays with the task that has it", {
    shrinker: fsFlag,
    worker: { ...GREEDY, isBoundNoIo: true },
    play: program,
  }),
  "count-locks": storyOf("DEADLOCK", "even to count, nobody may wait for the lock", {
    shrinker: countLocks,
    worker: GREEDY,
    play: program,
  }),
  "inline-when-idle": storyOf("DEADLOCK", "work for the worker is done by whoever needs memory", {
    shrinker: inlineWhenIdle,
    play: (setting) => {
      setting.spawnFilesystemTask(ASKS_NOFS);
    },
  }),
  "trylock-gives": storyOf("ok", "who may enter a filesystem still gets what is dirty", {
    shrinker: trylockAlways,
    worker: SCOPED,
    play(setting, world) {
      program(setting);
      expectOneEviction(setting, world);
    },
  }),
  "never-writes": storyOf("WRONG", "no deadlock, and no memory: what is dirty is never given", {
    shrinker: neverWrites,
    worker: SCOPED,
    play(setting, world) {
      program(setting);
      expectOneEviction(setting, world);
    },
  }),
  "promises-once": storyOf("ok", "what is promised is not there to be promised again", {
    shrinker: workQueue,
    play(setting, world) {
      setting.spawnProgram("P1");
      setting.spawnProgram("P2");
      expectOneEviction(setting, world);
    },
  }),
  "promises-twice": storyOf("WRONG", "two that need memory are promised the same block", {
    shrinker: promisesTwice,
    play(setting, world) {
      setting.spawnProgram("P1");
      setting.spawnProgram("P2");
      expectOneEviction(setting, world);
    },
  }),
};
