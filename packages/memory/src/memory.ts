import { invariant } from "@blkstack/bio";
import {
  assertMaySleep,
  type Awaitable,
  effectiveGfp,
  type FaultSource,
  type Gfp,
  GFP_KERNEL,
  GfpBit,
  isPending,
  mayWait,
  type Reserve,
  type Scheduler,
  type Task,
} from "@blkstack/task";
import { BackgroundReclaim } from "./background-reclaim.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { PageZone } from "./page-zone.ts";
import { Reclaim } from "./reclaim.ts";
import { ShrinkerRegistry } from "./shrinker.ts";
import type { SwapSpace } from "./swap-space.ts";
import type { PageBudget } from "./watermarks.ts";

export interface MemoryOptions {
  readonly scheduler: Scheduler;
  /** Which attempts fail; none unless told. */
  readonly faultPlan?: FaultPlan;
  /** How many pages there are; unless told, nothing is counted and there are always more. */
  readonly pages?: PageBudget;
  /**
   * Whether who may not enter a filesystem may not start I/O either. Ends deadlocks through loop
   * devices, and takes from filesystems what only swapping can free. Default: false.
   */
  readonly joinedScopes?: boolean;
}

export interface MemoryCounters {
  /** Attempts that were made to fail. */
  readonly failures: number;
  /** Rounds of reclaim on tasks that allocated. */
  readonly directRounds: number;
  /** Rounds of background reclaim. */
  readonly backgroundRounds: number;
  /** Times that a round freed nothing, and its task slept until pages were given back. */
  readonly stalls: number;
  /** Allocations that left less than the lowest watermark. */
  readonly belowMin: number;
  /** Pages written to the swap space. */
  readonly swapOuts: number;
  /** Those of them for a task that may start I/O but not enter a filesystem. */
  readonly swapOutsFromNofs: number;
  /** Objects freed or promised, by the label of the shrinker. */
  readonly evictions: ReadonlyMap<string, number>;
  /** Rounds by the kind of task: its name with N for numbers. */
  readonly roundsByTask: ReadonlyMap<string, number>;
}

/** The account behind a memory; null: nothing is counted. For those who keep pages for reuse. */
export let zoneOf: (memory: Memory) => PageZone | null;
/** As `Memory.takePages`, for pages that were not there, after `Memory.admit`. */
export let takeAfterReclaim: (
  memory: Memory,
  pages: number,
  gfp: Gfp,
  task: Task,
) => Awaitable<boolean>;

/** The memory of one system: what all its slabs and page allocators ask before they hand out. */
export class Memory {
  readonly scheduler: Scheduler;
  /** The caches that give back when memory is short. */
  readonly shrinkers: ShrinkerRegistry = new ShrinkerRegistry();
  /** The pools that keep some of this memory for those who must not fail. */
  readonly reserves: Set<Reserve> = new Set<Reserve>();
  /** See `MemoryOptions`. */
  readonly joinedScopes: boolean;
  /** Where anonymous pages go when memory is short and I/O is allowed; null: nowhere. To be set once. */
  swap: SwapSpace | null = null;
  #background: BackgroundReclaim | null = null;
  #faultPlan: FaultPlan | null;
  readonly #faults: FaultSource | null;
  readonly #zone: PageZone | null;
  readonly #reclaim: Reclaim | null;
  #failures = 0;
  readonly #attempts = new Map<string, number>();

  static {
    zoneOf = (memory) => memory.#zone;
    takeAfterReclaim = (memory, pages, gfp, task) =>
      mayWait(gfp) && memory.#reclaim !== null
        ? memory.#reclaim.takeAfterReclaim(pages, gfp, task)
        : false;
  }

  constructor(options: MemoryOptions) {
    const { scheduler, pages, joinedScopes = false } = options;
    this.scheduler = scheduler;
    this.joinedScopes = joinedScopes;
    this.#faultPlan = options.faultPlan ?? null;
    this.#faults = scheduler.faults ?? null;
    this.#zone = pages === undefined ? null : new PageZone(scheduler, pages);
    this.#reclaim = this.#zone === null ? null : new Reclaim(this.#zone, this);
  }

  get counters(): MemoryCounters {
    const done = this.#reclaim?.counters;
    return {
      failures: this.#failures,
      directRounds: done?.directRounds ?? 0,
      backgroundRounds: done?.backgroundRounds ?? 0,
      stalls: done?.stalls ?? 0,
      belowMin: this.#zone?.belowMin ?? 0,
      swapOuts: done?.swapOuts ?? 0,
      swapOutsFromNofs: done?.swapOutsFromNofs ?? 0,
      evictions: new Map(done?.evictions),
      roundsByTask: new Map(done?.roundsByTask),
    };
  }

  /** Pages that nobody has; infinite when they are not counted. */
  get freePages(): number {
    return this.#zone?.freePages ?? Infinity;
  }

  /** All pages there are; infinite when they are not counted. */
  get totalPages(): number {
    return this.#zone?.totalPages ?? Infinity;
  }

  /**
   * Whether pages are so few that who keeps some for later should give them back, or somebody waits
   * for them.
   */
  get isShort(): boolean {
    return this.#zone !== null && this.#zone.isShort;
  }

  /**
   * Which allocations fail. A new plan counts attempts afresh: devices are set up first, then
   * memory runs out.
   */
  get faultPlan(): FaultPlan | null {
    return this.#faultPlan;
  }

  set faultPlan(plan: FaultPlan | null) {
    this.#faultPlan = plan;
    this.#attempts.clear();
  }

  /** Whether any attempt can fail by plan or chance: when not, nobody need ask. */
  get mayFail(): boolean {
    return this.#faultPlan !== null || this.#faults !== null;
  }

  /** Whether this attempt of `site` is to fail: by the plan, else by chance. Waits: never. */
  fails(site: string, gfp: Gfp): boolean {
    if (this.#faultPlan !== null && this.#planFails(this.#faultPlan, site, gfp)) return true;
    if (this.#faults?.allocFails(site) !== true) return false;
    this.#failures += 1;
    return true;
  }

  /**
   * What every allocation in the name of a task begins with: the mask that the task's scopes
   * leave, after making sure that it may sleep where the mask says so.
   */
  admit(gfp: Gfp, task: Task, site: string): Gfp {
    if (mayWait(gfp)) assertMaySleep(task, site);
    const scoped = effectiveGfp(gfp, task.gfpScope);
    const allowed = this.joinedScopes && (scoped & GfpBit.Fs) === 0 ? scoped & ~GfpBit.Io : scoped;
    task.scheduler.lockWatcher?.allocates(task, allowed, site, null);
    return allowed;
  }

  /**
   * Takes `pages` pages from the account if they are there for the asking. `label`: for whom, in a
   * fault plan. Waits: never.
   */
  tryTakePages(pages: number, gfp: Gfp, label: string): boolean {
    if (this.mayFail && this.fails(label, gfp)) return false;
    if (this.#zone === null) return true;
    this.#zone.announce();
    return this.#zone.tryTake(pages, gfp, null);
  }

  /**
   * Takes `pages` pages from the account, and where `gfp` allows has others give theirs for it, as
   * far as the scopes of `task` let it. False: there are none, there can never be so many, or one
   * attempt was allowed. A task that frees pages itself gets what there is, and reclaims no more.
   *
   * Waits: if `gfp` allows, for the caches that are asked and then until pages are given back.
   */
  takePages(pages: number, gfp: Gfp, task: Task, label: string): Awaitable<boolean> {
    const allowed = this.admit(gfp, task, label);
    if (this.mayFail && this.fails(label, allowed)) return false;
    if (this.#zone === null) return true;
    const preempted = this.#zone.mayPreempt(task);
    if (preempted !== undefined) {
      return preempted.then(() => this.#takeExplored(pages, allowed, task));
    }
    if (this.scheduler.isExploring) return this.#takeExplored(pages, allowed, task);
    return this.#takeNow(pages, allowed, task);
  }

  /**
   * Gives pages back. `task`: who had taken them, so that a deadlock can be told with those who have
   * pages. Waits: never.
   */
  givePages(pages: number, task: Task | null = null): void {
    if (this.#zone === null) return;
    if (task === null) this.#zone.forgetHolders();
    else this.#zone.credit(task, -pages);
    this.#zone.give(pages);
  }

  /**
   * To be called by a cache that can free now what it could not before (the last user of a buffer has
   * gone, a write has ended): whoever waits for pages asks again. Waits: never.
   */
  becameFreeable(): void {
    if (this.#zone?.isShort === true) this.#zone.wakeAll();
  }

  /**
   * Starts a task, kswapd, that frees pages before allocations have to: below the low watermark, and
   * until the high one is reached. Harmless when it runs, or when pages are not counted.
   */
  startBackgroundReclaim(): void {
    if (this.#zone === null || this.#reclaim === null) return;
    this.#background ??= new BackgroundReclaim(this.scheduler, this.#zone, this.#reclaim);
  }

  /** The task goes after its round. Waits: never. */
  stopBackgroundReclaim(): void {
    this.#background?.stop();
    this.#background = null;
  }

  /**
   * Has caches give back about so many pages though nobody asks for them here: somebody else in the
   * machine does. Does nothing when pages are not counted. Waits: for whatever caches wait for.
   */
  async relieve(pages: number, task: Task): Promise<void> {
    await this.#reclaim?.round(pages, GFP_KERNEL, task);
  }

  /**
   * Changes how many pages there are. Throws an InvariantError when pages are not counted, or those
   * in use are too many for it. Waits: never.
   */
  resize(pages: PageBudget): void {
    if (this.#zone === null) invariant(false, "a memory without pages cannot be resized");
    this.#zone.resize(pages);
  }

  #takeExplored(pages: number, gfp: Gfp, task: Task): Awaitable<boolean> {
    const taken = this.#takeNow(pages, gfp, task);
    if (isPending(taken)) return taken.then((isTaken) => this.#credited(isTaken, pages, task));
    return this.#credited(taken, pages, task);
  }

  #credited(isTaken: boolean, pages: number, task: Task): boolean {
    if (isTaken) this.#zone?.credit(task, pages);
    return isTaken;
  }

  #takeNow(pages: number, gfp: Gfp, task: Task): Awaitable<boolean> {
    if (this.#zone === null || this.#zone.tryTake(pages, gfp, task)) return true;
    return takeAfterReclaim(this, pages, gfp, task);
  }

  #planFails(plan: FaultPlan, site: string, gfp: Gfp): boolean {
    const attempt = (this.#attempts.get(site) ?? 0) + 1;
    this.#attempts.set(site, attempt);
    if (!plan.fails(site, gfp, attempt)) return false;
    this.#failures += 1;
    return true;
  }
}
