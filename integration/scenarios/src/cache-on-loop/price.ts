import { explore } from "@blkstack/explorer";
import { AnonymousPages, SwapSpace } from "@blkstack/memory";
import { type Gfp, GFP_KERNEL, GFP_NOFS, GfpBit } from "@blkstack/task";
import { scenarioOf, type Story } from "../story.ts";
import { CONTENT, SCOPED } from "./columns.ts";
import { type Generation, GENERATIONS } from "./generations.ts";
import { CacheOnLoop, type LoopWorker } from "./setting.ts";

/** Pages that the filesystem wants one after the other, and keeps. */
const WANTED = 2;
const NOFS_ONCE: Gfp = GFP_NOFS | GfpBit.NoRetry;

interface Way {
  readonly name: string;
  readonly generation: Generation;
  readonly worker: LoopWorker;
}

const WAYS: Readonly<Record<string, Way>> = {
  "io-flag": { name: "io-flag", generation: GENERATIONS["io-flag"], worker: CONTENT },
  "noio-worker": {
    name: "io-flag, noio scope on the loop worker",
    generation: GENERATIONS["io-flag"],
    worker: SCOPED,
  },
  joined: {
    name: "io-flag, joined scopes",
    generation: GENERATIONS["io-flag-joined"],
    worker: CONTENT,
  },
  "fs-flag": { name: "fs-flag", generation: GENERATIONS["fs-flag"], worker: CONTENT },
  workqueue: { name: "workqueue", generation: GENERATIONS.workqueue, worker: CONTENT },
};

/** What one schedule came to. */
interface Figures {
  readonly swapOutsFromNofs: number;
  readonly evictions: number;
  readonly pagesGot: number;
}

/** What a way out of the deadlock costs a filesystem that goes on needing memory. */
export interface Price {
  readonly way: string;
  readonly verdict: "deadlock" | "none";
  readonly executions: number;
  readonly complete: boolean;
  /** Least and most over all schedules; null: some never end. */
  readonly swapOutsFromNofs: readonly [number, number] | null;
  readonly evictions: readonly [number, number] | null;
  /** Of two that it wanted. */
  readonly pagesGot: readonly [number, number] | null;
}

function storyOf({ generation, worker }: Way, note: (figures: Figures) => void): Story {
  return {
    expect: "ok",
    summary: "",
    strategy: "dpor",
    async build(world) {
      const setting = await CacheOnLoop.build(world, generation, worker);
      const { filesystem, memory, cache } = setting;
      // One page more, which a program has that does not run.
      setting.leaveFree(1);
      memory.swap = new SwapSpace({ writeOut: () => true, readIn: () => true }, 1);
      const heap = new AnonymousPages(memory, "heap of a program");
      const commands = world.scheduler.spawn("commands", () => undefined);
      await heap.grow(1, GFP_KERNEL, commands);
      let pagesGot = 0;
      world.spawn("F", async (task) => {
        await filesystem.transaction.lock(task);
        for (let count = 0; count < WANTED; count += 1) {
          if (await memory.takePages(1, NOFS_ONCE, task, "inode")) pagesGot += 1;
        }
        filesystem.transaction.unlock(task);
      });
      world.atEnd(() => {
        const { swapOutsFromNofs } = memory.counters;
        note({ swapOutsFromNofs, evictions: cache.counters.evictions, pagesGot });
        return [];
      });
    },
  };
}

/** Explores each way out under the same load. */
export async function prices(): Promise<Price[]> {
  const all: Price[] = [];
  for (const [variant, way] of Object.entries(WAYS)) {
    const seen: Figures[] = [];
    const story = storyOf(way, (figures) => seen.push(figures));
    const scenario = scenarioOf("price", "what a way out of a deadlock costs", {
      [variant]: story,
    });
    const report = await explore(scenario, variant, { after: "first" });
    const isDeadlock = report.kind === "DEADLOCK";
    if (!isDeadlock && report.verdict !== "proved") throw new Error(report.story);
    const range = (figure: keyof Figures): [number, number] | null => {
      const values = seen.map((figures) => figures[figure]);
      return isDeadlock ? null : [Math.min(...values), Math.max(...values)];
    };
    all.push({
      way: way.name,
      verdict: isDeadlock ? "deadlock" : "none",
      executions: report.runs,
      complete: isDeadlock || report.isComplete,
      swapOutsFromNofs: range("swapOutsFromNofs"),
      evictions: range("evictions"),
      pagesGot: range("pagesGot"),
    });
  }
  return all;
}
