import type { Expectation } from "@blkstack/explorer";
import { AnonymousPages, type SwapDevice, SwapSpace, withNoIo } from "@blkstack/memory";
import {
  type Access,
  AccessMode,
  type Awaitable,
  GFP_KERNEL,
  GFP_NOFS,
  Mutex,
  type Task,
} from "@blkstack/task";
import type { Story } from "../story.ts";
import { memoryOf } from "./direct.ts";

const EXIT: Access = { object: { label: "program" }, mode: AccessMode.Write, label: "exit" };

/** One transfer at a time. */
class LockedDisk implements SwapDevice {
  readonly #lock: Mutex;

  constructor(lock: Mutex) {
    this.#lock = lock;
  }

  async writeOut(_pages: number, task: Task): Promise<boolean> {
    await this.#lock.lock(task);
    this.#lock.unlock(task);
    return true;
  }

  readIn(pages: number, task: Task): Promise<boolean> {
    return this.writeOut(pages, task);
  }
}

/** A filesystem needs a page, and a program that sleeps has them all. */
export function swapping(joinedScopes: boolean, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const memory = memoryOf(world, 2, joinedScopes);
      memory.swap = new SwapSpace(new LockedDisk(new Mutex("swap device")), 4);
      const heap = new AnonymousPages(memory, "heap of a program");
      world.spawn("filesystem", async (task) => {
        await heap.grow(2, GFP_KERNEL, task);
        await memory.takePages(1, GFP_NOFS, task, "inode");
      });
      world.atEnd(() => {
        const { swapOutsFromNofs } = memory.counters;
        return swapOutsFromNofs === 1 ? [] : ["nothing was swapped out for the filesystem"];
      });
    },
  };
}

/** A task that has locked the swap device needs a page; another will give one, in the end. */
export function swapUnderLock(hasScope: boolean, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const memory = memoryOf(world, 2);
      const lock = new Mutex("swap device");
      memory.swap = new SwapSpace(new LockedDisk(lock), 4);
      const heap = new AnonymousPages(memory, "heap of a program");
      world.spawn("program", async (task) => {
        await heap.grow(2, GFP_KERNEL, task);
        await world.step(task, EXIT);
        heap.shrink(1);
      });
      world.spawn("admin", async (task) => {
        await lock.lock(task);
        const take = (): Awaitable<boolean> => memory.takePages(1, GFP_KERNEL, task, "table");
        await (hasScope ? withNoIo(task, take) : take());
        lock.unlock(task);
        memory.givePages(1, task);
      });
    },
  };
}
