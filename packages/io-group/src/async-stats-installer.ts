import { invariant } from "@blkstack/bio";
import { GFP_KERNEL, type PerCpuAllocator, type PerCpuBlock } from "@blkstack/memory";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  type Scheduler,
  type Task,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";
import { GroupStats } from "./group-stats.ts";
import type { IoGroup } from "./io-group.ts";
import { GROUP_STAT_WORDS } from "./stat-words.ts";

/** How long memory that was not there is left alone. */
const RETRY_MS = 10;

/**
 * Installs statistics from a worker, which may sleep for memory as long as it takes: no I/O waits
 * for it, nor does anybody who has a lock that I/O needs.
 *
 * One work item serves all groups. It has no reference to any: it takes a block first, and only then
 * a group off the list, and installs in the same step. So a group that leaves has nothing to wait for.
 */
export class AsyncStatsInstaller {
  readonly #scheduler: Scheduler;
  readonly #memory: PerCpuAllocator;
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  /** In the order of their requests. */
  readonly #waiting = new Set<IoGroup>();
  /** Allocated for a group that had gone when it came; for the next one. */
  #spare: PerCpuBlock | null = null;
  #isStopped = false;
  readonly #change: Access;

  constructor({ scheduler, memory }: { scheduler: Scheduler; memory: PerCpuAllocator }) {
    this.#scheduler = scheduler;
    this.#memory = memory;
    // No rescuer: without memory there is nothing to install, and nobody waits.
    this.#queue = new WorkQueue({ scheduler, name: "group statistics" });
    this.#work = new WorkItem("installing of statistics", (task) => this.#run(task));
    const list = { label: "groups without statistics" };
    this.#change = { object: list, mode: AccessMode.Write, label: list.label };
  }

  /** Groups that are waited for. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Waits: never; from under a spinlock too. */
  request(group: IoGroup): void {
    invariant(!this.#isStopped, `statistics for ${group.label} after the end`);
    this.#touch();
    this.#waiting.add(group);
    // First on the list, then queued: a run that has begun sees it, or there will be another one. If
    // memory was short the work waits already, and comes no earlier for one group more.
    this.#queue.queue(this.#work);
  }

  /** Waits: never. */
  cancel(group: IoGroup): void {
    this.#touch();
    this.#waiting.delete(group);
  }

  /** Waits: until the run in progress has its memory, or was refused it. */
  async stop(task: Task): Promise<void> {
    this.#touch();
    this.#isStopped = true;
    this.#waiting.clear();
    await this.#queue.cancelSync(this.#work, task);
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) this.#memory.free(spare);
  }

  #run(task: Task): Awaitable<void> {
    while (this.#waiting.size > 0) {
      if (this.#spare === null) {
        const allocated = this.#memory.alloc(GROUP_STAT_WORDS, GFP_KERNEL, task);
        if (isPending(allocated)) return this.#runAfter(allocated, task);
        this.#spare = allocated;
      }
      if (!this.#installNext()) return undefined;
    }
    return undefined;
  }

  async #runAfter(allocated: Promise<PerCpuBlock | null>, task: Task): Promise<void> {
    this.#spare = await allocated;
    if (this.#installNext()) await this.#run(task);
  }

  /** Whether there is a reason to go on. */
  #installNext(): boolean {
    this.#touch();
    if (this.#spare === null) {
      if (this.#waiting.size > 0) this.#queue.queueDelayed(this.#work, RETRY_MS);
      return false;
    }
    for (const group of this.#waiting) {
      this.#waiting.delete(group);
      // Ours unless something was there: then it stays ours, for the next group.
      if (group.installStats(new GroupStats(this.#spare)) === null) this.#spare = null;
      break;
    }
    return true;
  }

  #touch(): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#change);
  }
}
