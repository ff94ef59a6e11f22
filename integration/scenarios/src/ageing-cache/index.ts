import { type Bio, bioEndio, PAGE_BYTES } from "@blkstack/bio";
import { type BlockDevice, RequestQueue, stackingLimits } from "@blkstack/block";
import { BufioCaches, BufioClient, type ShrinkableCache, workQueue } from "@blkstack/bufio";
import type { Expectation, Scenario, World } from "@blkstack/explorer";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { type Awaitable, Mutex, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { scenarioOf, type Story } from "../story.ts";

/** A device whose worker must have a cache of its own made before it can serve a bio. */
class MetadataDevice implements BlockDevice {
  readonly name = "thin";
  readonly sizeSectors = 64;
  readonly isReadOnly = false;
  readonly queue = new RequestQueue("thin", stackingLimits());
  /** Those that have not ended. */
  readonly bios = new Set<Bio>();
  readonly work: WorkItem;
  readonly #workQueue: WorkQueue;

  constructor({ scheduler }: World, clients: Mutex) {
    this.work = new WorkItem("serve thin", async (task) => {
      for (const bio of this.bios) {
        await clients.lock(task);
        clients.unlock(task);
        this.bios.delete(bio);
        bioEndio(bio);
      }
    });
    this.#workQueue = new WorkQueue({ scheduler, name: "thin", maxActive: 1 });
  }

  submitBio(bio: Bio): void {
    this.bios.add(bio);
    this.#workQueue.queue(this.work);
  }
}

/** A cache with one dirty block, on a device that sometimes needs the list of all caches. */
class Setting {
  /** Who adds a cache to the list of all, or goes through it. */
  readonly clients = new Mutex("list of caches");
  readonly #world: World;
  #parts: ShrinkableCache | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  get cache(): ShrinkableCache {
    if (this.#parts === null) throw new RangeError("the cache is not made yet");
    return this.#parts;
  }

  async build(): Promise<void> {
    const world = this.#world;
    const { scheduler } = world;
    const device = new MetadataDevice(world, this.clients);
    world.place({ label: "queue of thin", things: device.bios, servedBy: () => [device.work] });
    const client = new BufioClient({
      name: "a",
      scheduler,
      memory: new Memory({ scheduler }),
      submitter: new MakeRequest(),
      caches: new BufioCaches(scheduler, { retainBytes: 0, maxAgeMs: Infinity }),
      device,
      blockBytes: PAGE_BYTES,
      shrinker: {
        name: "none",
        create: (cache) => {
          this.#parts = cache;
          return workQueue.create(cache);
        },
      },
    });
    const commands = scheduler.spawn("commands", () => undefined);
    const block = await client.new(0, commands);
    if (typeof block === "number") throw new RangeError("no memory for the first block");
    client.markDirty(block);
    client.release(block, commands);
  }

  /** Goes through all caches for what is old; there is one. */
  spawnAgeing(evict: (cache: ShrinkableCache, task: Task) => Awaitable<void>): void {
    this.#world.spawn("ageing", async (task) => {
      await this.clients.lock(task);
      await evict(this.cache, task);
      this.clients.unlock(task);
    });
  }

  /** Writes what is dirty, with the lock of the cache. */
  spawnCleaner(): void {
    this.#world.spawn("cleaner", (task) => evictLocked(this.cache, true, task));
  }
}

async function evictLocked(cache: ShrinkableCache, mayDoIo: boolean, task: Task): Promise<void> {
  await cache.lock.lock(task);
  await cache.evict(1, mayDoIo, task);
  cache.lock.unlock(task);
}

async function evictIdle(cache: ShrinkableCache, task: Task): Promise<void> {
  if (!cache.lock.tryLock(task)) return;
  await cache.evict(1, false, task);
  cache.lock.unlock(task);
}

function storyOf(
  expect: Expectation,
  summary: string,
  evict: (cache: ShrinkableCache, task: Task) => Awaitable<void>,
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting = new Setting(world);
      await setting.build();
      setting.spawnAgeing(evict);
      setting.spawnCleaner();
    },
  };
}

/** Old blocks are looked for in all caches, while the device of one is about to make another. */
export const ageingCache: Scenario = scenarioOf(
  "ageing-cache",
  "whoever goes through the list of caches gives back what is old; to make a cache takes that list",
  {
    "writes-old-blocks": storyOf(
      "DEADLOCK",
      "with the list locked, it waits for a device that needs the list",
      (cache, task) => evictLocked(cache, true, task),
    ),
    "waits-for-the-cache": storyOf(
      "DEADLOCK",
      "it does no I/O, but waits for the lock of one who does",
      (cache, task) => evictLocked(cache, false, task),
    ),
    "takes-what-is-idle": storyOf(
      "ok",
      "it waits neither for I/O nor for the lock; there is another time",
      evictIdle,
    ),
  },
);
