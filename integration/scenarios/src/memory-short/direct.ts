import type { Expectation, World } from "@blkstack/explorer";
import { Memory } from "@blkstack/memory";
import { type Access, AccessMode, GFP_NOFS, type Task } from "@blkstack/task";
import type { Story } from "../story.ts";
import { CleanCache } from "./caches.ts";

const USE: Access = { object: { label: "a page" }, mode: AccessMode.Read, label: "use a page" };

/** `tasks` of them, and a cache that has all the pages, two. */
export function pagesFor(tasks: number): Story {
  return {
    expect: "ok",
    summary: "each task needs one page at a time; a cache has them all",
    strategy: "dpor",
    build(world) {
      const memory = memoryOf(world, 2);
      const cache = new CleanCache("cache", memory, 2);
      for (let number = 1; number <= tasks; number += 1) {
        world.spawn(`reader-${String(number)}`, async (task) => {
          await take(memory, task);
          await world.step(task, USE);
          memory.givePages(1, task);
        });
      }
      world.atEnd(() => (memory.freePages + cache.pages === 2 ? [] : ["pages are lost"]));
    },
  };
}

/** Two tasks that take two pages one by one, with nothing to reclaim. */
export function twoPagesEach(totalPages: number, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const memory = memoryOf(world, totalPages);
      for (const name of ["alice", "bob"]) {
        world.spawn(name, async (task) => {
          await take(memory, task);
          await take(memory, task);
          memory.givePages(2, task);
        });
      }
      world.atEnd(() => (memory.freePages === totalPages ? [] : ["pages are lost"]));
    },
  };
}

export function memoryOf(world: World, totalPages: number, joinedScopes = false): Memory {
  const { scheduler } = world;
  const memory = new Memory({ scheduler, pages: { totalPages }, joinedScopes });
  world.observe("free pages", () => memory.freePages);
  return memory;
}

async function take(memory: Memory, task: Task): Promise<void> {
  if (!(await memory.takePages(1, GFP_NOFS, task, "pages"))) throw new Error("no page, ever");
}
