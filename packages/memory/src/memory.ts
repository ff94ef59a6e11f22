import {
  assertMaySleep,
  effectiveGfp,
  type FaultSource,
  type Gfp,
  mayWait,
  type Scheduler,
  type Task,
} from "@blkstack/task";
import type { FaultPlan } from "./fault-plan.ts";
import { ShrinkerRegistry } from "./shrinker.ts";

export interface MemoryOptions {
  readonly scheduler: Scheduler;
  /** Which attempts fail; none unless told. */
  readonly faultPlan?: FaultPlan;
}

export interface MemoryCounters {
  /** Attempts that were made to fail. */
  readonly failures: number;
}

/** The memory of one system: what all its slabs and page allocators ask before they hand out. */
export class Memory {
  readonly scheduler: Scheduler;
  /** The caches that give back when memory is short. */
  readonly shrinkers: ShrinkerRegistry = new ShrinkerRegistry();
  #faultPlan: FaultPlan | null;
  readonly #faults: FaultSource | null;
  #failures = 0;
  readonly #attempts = new Map<string, number>();

  constructor(options: MemoryOptions) {
    this.scheduler = options.scheduler;
    this.#faultPlan = options.faultPlan ?? null;
    this.#faults = options.scheduler.faults ?? null;
  }

  get counters(): MemoryCounters {
    return { failures: this.#failures };
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

  /** Whether any attempt can fail: when not, nobody need ask. */
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
    const allowed = effectiveGfp(gfp, task.gfpScope);
    task.scheduler.lockWatcher?.allocates(task, allowed, site, null);
    return allowed;
  }

  #planFails(plan: FaultPlan, site: string, gfp: Gfp): boolean {
    const attempt = (this.#attempts.get(site) ?? 0) + 1;
    this.#attempts.set(site, attempt);
    if (!plan.fails(site, gfp, attempt)) return false;
    this.#failures += 1;
    return true;
  }
}
