import { PAGE_BYTES } from "@blkstack/bio";
import { BufioCaches, BufioClient } from "@blkstack/bufio";
import type { World } from "@blkstack/explorer";
import { LoopDevice } from "@blkstack/loop";
import { RamFile, SimulatedFilesystem } from "@blkstack/loop/simulated";
import { MakeRequest } from "@blkstack/make-request";
import { Memory, withNoFs, withNoIo } from "@blkstack/memory";
import { type Gfp, GFP_KERNEL, GFP_NOFS, GfpBit, type Task } from "@blkstack/task";
import type { Generation } from "./generations.ts";

/**
 * One attempt: whoever gets no page goes on without. So a run ends though nothing is given back, and
 * who never ends waits for somebody.
 */
const ONCE: Gfp = GfpBit.NoRetry;

const FILE_BLOCKS = 4;

/** To build all that is there before memory is short. */
const ENOUGH_PAGES = 64;

const NO_WATERMARKS = { minPages: 0, lowPages: 0, highPages: 0 };

/** What the worker of the loop device asks for a page with while it writes; null: it needs none. */
export interface LoopWorker {
  readonly gfp: Gfp | null;
  readonly isNoIo: boolean;
  /** Whoever binds the device has a noio scope, which is over when the worker works. */
  readonly isBoundNoIo?: boolean;
}

/** How a filesystem gets the page for a change. */
export interface FilesystemTask {
  readonly gfp: Gfp;
  readonly scope: "none" | "nofs" | "noio";
  readonly allocates: "in-transaction" | "before-transaction";
}

/** As filesystems do: the mask says all. */
export const ASKS_NOFS: FilesystemTask = {
  gfp: GFP_NOFS,
  scope: "none",
  allocates: "in-transaction",
};

/**
 * A filesystem, a file of it as a loop device, and a cache of blocks on that, in which one block is
 * dirty. No page is free.
 */
export class CacheOnLoop {
  readonly memory: Memory;
  readonly filesystem: SimulatedFilesystem;
  readonly loop: LoopDevice;
  readonly cache: BufioClient;
  readonly #world: World;

  private constructor(world: World, generation: Generation, worker: LoopWorker) {
    const { scheduler } = world;
    this.#world = world;
    const pages = { ...NO_WATERMARKS, totalPages: ENOUGH_PAGES };
    const { joinedScopes, shrinker } = generation;
    this.memory = new Memory({ scheduler, pages, joinedScopes });
    const { memory } = this;
    this.filesystem = new SimulatedFilesystem({
      name: "X",
      lower: new RamFile({ label: "memory of X", sizeBytes: FILE_BLOCKS * PAGE_BYTES }),
      memory,
    });
    this.loop = new LoopDevice({ name: "loop0", scheduler, workerNoIo: worker.isNoIo });
    this.cache = new BufioClient({
      name: "c",
      scheduler,
      memory,
      submitter: new MakeRequest(),
      caches: new BufioCaches(scheduler, { retainBytes: 0, maxAgeMs: Infinity }),
      device: this.loop,
      blockBytes: PAGE_BYTES,
      reservedBuffers: 0,
      shrinker,
    });
  }

  static async build(
    world: World,
    generation: Generation,
    worker: LoopWorker,
  ): Promise<CacheOnLoop> {
    const setting = new CacheOnLoop(world, generation, worker);
    const commands = world.scheduler.spawn("commands", () => undefined);
    await setting.#prepare(worker, commands);
    setting.leaveFree(0);
    return setting;
  }

  /** Lets there be so many pages that `pages` of them are free. */
  leaveFree(pages: number): void {
    const { totalPages, freePages } = this.memory;
    this.memory.resize({ ...NO_WATERMARKS, totalPages: totalPages - freePages + pages });
  }

  /** Begins a transaction, and needs a page for it. */
  spawnFilesystemTask({ gfp, scope, allocates }: FilesystemTask): void {
    const change = {
      cachePages: 1,
      cacheGfp: gfp | ONCE,
      otherPages: 0,
      otherGfp: gfp,
      allocates,
      label: "inode",
    };
    this.#world.spawn("F", async (task) => {
      const work = (): Promise<number> =>
        this.filesystem.change(change, () => Promise.resolve(0), task);
      if (scope === "nofs") await withNoFs(task, work);
      else await (scope === "noio" ? withNoIo(task, work) : work());
    });
  }

  /** Needs a page, holds nothing, and may do anything for it. */
  spawnProgram(name = "P"): void {
    const { memory } = this;
    this.#world.spawn(name, async (task) => {
      if (await memory.takePages(1, GFP_KERNEL | ONCE, task, "heap")) memory.givePages(1, task);
    });
  }

  async #prepare({ gfp, isBoundNoIo = false }: LoopWorker, task: Task): Promise<void> {
    const { filesystem, loop, cache } = this;
    const file = filesystem.createFile("img", {
      cachePages: 0,
      otherPages: gfp === null ? 0 : 1,
      otherGfp: (gfp ?? 0) | ONCE,
    });
    const { commands: things } = loop;
    this.#world.place({ label: "queue of loop0", things, servedBy: () => loop.servedBy() });
    const bind = (): Promise<void> =>
      loop.bind({ file, sizeLimitBytes: FILE_BLOCKS * PAGE_BYTES }, task);
    await (isBoundNoIo ? withNoIo(task, bind) : bind());
    const block = await cache.new(0, task);
    if (typeof block === "number") throw new RangeError("no memory for the first block");
    cache.markDirty(block);
    cache.release(block, task);
  }
}
