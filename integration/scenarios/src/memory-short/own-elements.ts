import type { Expectation } from "@blkstack/explorer";
import { Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import { GFP_NOIO } from "@blkstack/task";
import type { Story } from "../story.ts";
import { fill } from "./caches.ts";
import { memoryOf } from "./direct.ts";

/** A pool with a reserve of one, no memory behind it, and one task that wants two. */
export function ownElements(expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const memory = memoryOf(world, 2);
      const allocator = new Slab(memory, "jobs", () => ({}), { elementBytes: 4096 });
      const pool = new Mempool({ scheduler, label: "jobs", allocator, minNr: 1 });
      fill(memory, 1, "hog");
      world.spawn("greedy", async (task) => {
        await pool.alloc(GFP_NOIO, task);
        await pool.alloc(GFP_NOIO, task);
      });
    },
  };
}
