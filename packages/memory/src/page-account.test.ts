import { GFP_KERNEL, GFP_NOIO, GFP_NOWAIT, GfpBit, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnonymousPages } from "./anonymous-pages.ts";
import { Memory } from "./memory.ts";
import { PageAllocator } from "./page-allocator.ts";
import { Slab } from "./slab.ts";
import { SwapSpace } from "./swap-space.ts";

const TOTAL_PAGES = 24;
const ONE_ATTEMPT = GfpBit.NoRetry;

/** All that can have pages, and what each of them says that it has. */
class Users {
  readonly memory: Memory;
  readonly #pages: PageAllocator;
  readonly #slab: Slab<object>;
  readonly #heap: AnonymousPages;
  readonly #held: (() => void)[] = [];
  #rawPages = 0;
  #cachedPages = 0;

  constructor(scheduler: VirtualScheduler) {
    const memory = new Memory({ scheduler, pages: { totalPages: TOTAL_PAGES, minPages: 2 } });
    this.memory = memory;
    memory.swap = new SwapSpace({ writeOut: () => true, readIn: () => true }, 6);
    this.#pages = new PageAllocator({ memory, limitPages: 12, label: "pages" });
    this.#slab = new Slab(memory, "bios", () => ({}), { keepMax: 4, elementBytes: 1900 });
    this.#heap = new AnonymousPages(memory, "heap");
    memory.shrinkers.register({
      label: "cache",
      count: () => this.#cachedPages,
      scan: (amount) => {
        this.#cachedPages -= amount;
        memory.givePages(amount);
        return amount;
      },
    });
    memory.startBackgroundReclaim();
  }

  async step(task: Task, what: number, amount: number): Promise<void> {
    const { memory } = this;
    const gfp = (amount % 2 === 0 ? GFP_KERNEL : GFP_NOIO) | ONE_ATTEMPT;
    if (what === 0) {
      const page = await this.#pages.alloc(gfp, task, amount);
      if (page !== null)
        this.#held.push(() => {
          this.#pages.free(page);
        });
    } else if (what === 1) {
      const element = await this.#slab.alloc(gfp, task);
      if (element !== null)
        this.#held.push(() => {
          this.#slab.free(element);
        });
    } else if (what === 2) {
      if (await memory.takePages(amount, gfp, task, "raw")) {
        this.#rawPages += amount;
        this.#held.push(() => {
          this.#rawPages -= amount;
          memory.givePages(amount, task);
        });
      }
    } else if (what === 3) {
      if (memory.tryTakePages(amount, GFP_NOWAIT, "cache")) this.#cachedPages += amount;
    } else if (what === 4) {
      if (await this.#heap.grow(amount, gfp, task)) {
        this.#held.push(() => {
          this.#heap.shrink(amount);
        });
      }
    } else if (what === 5) {
      await this.#heap.bringIn(gfp, task);
    } else {
      for (const giveBack of this.#held.splice(amount % (this.#held.length + 1), 2)) giveBack();
    }
  }

  get usedPages(): number {
    const { existingPages } = this.#pages;
    const counted = existingPages + this.#slab.pages + this.#heap.residentPages;
    return counted + this.#rawPages + this.#cachedPages;
  }
}

describe("the account of pages", () => {
  it("is never below nothing, and loses none, whoever has them and whoever takes them away", async () => {
    const step = fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 6 }));
    const program = fc.array(step, { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(program, program, fc.nat(), async (one, other, seed) => {
        const scheduler = new VirtualScheduler({ seed });
        const users = new Users(scheduler);
        for (const steps of [one, other]) {
          scheduler.spawn("user", async (task) => {
            for (const [what, amount] of steps) {
              await users.step(task, what, amount);
              expect(users.memory.freePages).toBeGreaterThanOrEqual(0);
            }
          });
        }
        await scheduler.run();
        expect(users.usedPages + users.memory.freePages).toBe(TOTAL_PAGES);
      }),
      { numRuns: 300 },
    );
  });
});
