import type { Expectation, Scenario, World } from "@blkstack/explorer";
import { LoopDevice } from "@blkstack/loop";
import { RamFile, SimulatedFilesystem } from "@blkstack/loop/simulated";
import { MakeRequest } from "@blkstack/make-request";
import { Memory, type Shrinker, withNoIo } from "@blkstack/memory";
import { GFP_KERNEL, type Task } from "@blkstack/task";
import { scenarioOf, type Story } from "../story.ts";
import { OneBlockCache, type WritesBack } from "./one-block-cache.ts";

interface Choice {
  readonly writesBack: WritesBack;
  /** Whether the loop device's worker may not start I/O to get memory. */
  readonly workerNoIo: boolean;
  /** Whether the user may not either: as if the worker's scope were everybody's. */
  readonly userNoIo?: boolean;
  /** When the user's file takes its page. */
  readonly allocates?: "before-transaction" | "in-transaction";
}

/** What the user has written, and pages that nobody needs: memory is short, not gone. */
const CLEAN_PAGES = 2;

/** Clean pages, free for the asking. */
class CleanPages implements Shrinker {
  readonly label = "clean pages";
  readonly #memory: Memory;
  #pages = CLEAN_PAGES;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  count(): number {
    return this.#pages;
  }

  scan(amount: number): number {
    const freed = Math.min(amount, this.#pages);
    this.#pages -= freed;
    this.#memory.givePages(freed);
    return freed;
  }
}

/**
 * A user of filesystem X writes a file and needs a page. A cache on loop0, which stands on another
 * file of X, has a dirty block to give: its write needs X too.
 */
function userAndCache(expect: Expectation, summary: string, choice: Choice): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const pages = { totalPages: CLEAN_PAGES + 1, minPages: 0, lowPages: 0, highPages: 0 };
      const memory = new Memory({ scheduler, pages });
      const lower = new RamFile({ label: "blocks of X", sizeBytes: 65_536 });
      const filesystem = new SimulatedFilesystem({ name: "X", lower, memory });
      const image = filesystem.createFile("img", { cachePages: 1 });
      const notes = filesystem.createFile("notes", {
        cachePages: 1,
        allocates: choice.allocates ?? "in-transaction",
      });
      const loop = new LoopDevice({ name: "loop0", scheduler, workerNoIo: choice.workerNoIo });
      placeOf(world, loop);
      const cache = new OneBlockCache(memory, loop, new MakeRequest(), choice.writesBack);
      const write = (task: Task): Promise<number> => notes.write([new Uint8Array(1)], 0, task);
      world.spawn("user", async (task) => {
        await loop.bind({ file: image, sizeLimitBytes: 4096 }, task);
        await memory.takePages(CLEAN_PAGES + 1, GFP_KERNEL, task, "all there are");
        cache.fill();
        memory.shrinkers.register(cache);
        memory.shrinkers.register(new CleanPages(memory));
        await (choice.userNoIo === true ? withNoIo(task, () => write(task)) : write(task));
      });
      world.atEnd(() => (notes.sizeBytes === 1 ? [] : ["the user's write came to nothing"]));
    },
  };
}

function placeOf(world: World, loop: LoopDevice): void {
  world.place({
    label: "queue of loop0",
    things: loop.commands,
    servedBy: () => loop.servedBy(),
  });
}

/** Memory runs out inside a filesystem, and a cache above a loop device has some to give. */
export const loopReclaim: Scenario = scenarioOf(
  "loop-reclaim",
  "a cache on a loop device writes back for a task inside the filesystem below it",
  {
    "if-io": userAndCache(
      "DEADLOCK",
      "the cache writes back since NOFS allows I/O; the write needs the lock that the user holds",
      { writesBack: "if-io", workerNoIo: false },
    ),
    "if-io-worker-noio": userAndCache(
      "DEADLOCK",
      "no scope of the worker helps: it allocates nothing, it waits for the user's lock",
      { writesBack: "if-io", workerNoIo: true },
    ),
    "if-fs": userAndCache("ok", "the cache writes back only for who may enter a filesystem", {
      writesBack: "if-fs",
      workerNoIo: true,
    }),
    "by-worker": userAndCache("ok", "the cache leaves the writing to a worker and waits for none", {
      writesBack: "by-worker",
      workerNoIo: true,
    }),
    "if-io-page-first": userAndCache("ok", "the user has its page before it locks anything", {
      writesBack: "if-io",
      workerNoIo: true,
      allocates: "before-transaction",
    }),
    "scope-for-all": userAndCache(
      "ok",
      "were the worker's scope the user's too, it would help: scopes belong to one task",
      { writesBack: "if-io", workerNoIo: true, userNoIo: true },
    ),
  },
);
