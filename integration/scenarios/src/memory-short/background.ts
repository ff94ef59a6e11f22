import type { Expectation, World } from "@blkstack/explorer";
import type { Memory, Shrinker } from "@blkstack/memory";
import { type Gfp, GFP_NOFS, Mutex, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import type { Story } from "../story.ts";
import { CleanCache, fill, NEEDS_FS } from "./caches.ts";
import { memoryOf } from "./direct.ts";

interface Kind {
  /** Whether the cache leaves its writing to a worker. */
  readonly handsOver: boolean;
  readonly expect: Expectation;
  readonly summary: string;
}

/**
 * A device is suspended, and its admin needs a page to resume it. Only background reclaim may enter
 * the two caches that have some: one has to write to the device first, the other just gives.
 */
export function backgroundReclaim({ handsOver, expect, summary }: Kind): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const memory = memoryOf(world, 2);
      const device = new Mutex("suspended device");
      const dirty = new DirtyCache(memory, device, handsOver ? workerOf(world) : null);
      memory.shrinkers.register(dirty);
      new CleanCache("inodes", memory, 1, NEEDS_FS);
      memory.startBackgroundReclaim();
      world.spawn("admin", async (task) => {
        await device.lock(task);
        await memory.takePages(1, GFP_NOFS, task, "table");
        device.unlock(task);
        memory.givePages(1, task);
      });
    },
  };
}

function workerOf({ scheduler }: World): WorkQueue {
  return new WorkQueue({ scheduler, name: "writeback", reclaimGuaranteed: true });
}

/** One page, that is free when it was written to the device. */
class DirtyCache implements Shrinker {
  readonly label = "buffers";
  readonly #memory: Memory;
  readonly #device: Mutex;
  readonly #worker: WorkQueue | null;
  readonly #work = new WorkItem("write a buffer", (task) => this.#write(task));
  #pages = 1;

  constructor(memory: Memory, device: Mutex, worker: WorkQueue | null) {
    this.#memory = memory;
    this.#device = device;
    this.#worker = worker;
    fill(memory, 1, this.label);
  }

  count(gfp: Gfp): number {
    return (gfp & NEEDS_FS) === 0 ? 0 : this.#pages;
  }

  async scan(amount: number, _gfp: Gfp, task: Task): Promise<number> {
    this.#pages -= amount;
    if (this.#worker === null) await this.#write(task);
    else this.#worker.queue(this.#work);
    return amount;
  }

  async #write(task: Task): Promise<void> {
    await this.#device.lock(task);
    this.#device.unlock(task);
    this.#memory.givePages(1);
  }
}
