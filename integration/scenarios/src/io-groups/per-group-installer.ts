import {
  GROUP_STAT_WORDS,
  GroupStats,
  type IoGroup,
  type StatsAlloc,
  type StatsInstaller,
  type StatsInstallerOptions,
} from "@blkstack/io-group";
import { GFP_KERNEL, type PerCpuAllocator } from "@blkstack/memory";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";

/** The swap is done: `old` was there before `mine`. */
export type Settle = (
  old: GroupStats | null,
  mine: GroupStats,
  group: IoGroup,
  memory: PerCpuAllocator,
) => void;

export interface Habits {
  /** Frees what nobody else will; the own block of who came too late, unless told. */
  readonly settle?: Settle;
  /** For how long memory that was not there is left alone; 10 ms unless told. */
  readonly retryMs?: number;
  /** Whether a group that goes is asked for no more; true unless told. */
  readonly heedsCancel?: boolean;
  /** Whether who asks waits until the work is done; false unless told. */
  readonly isWaitedFor?: boolean;
}

const freesOwn: Settle = (old, mine, _group, memory) => {
  if (old !== null) memory.free(mine.block);
};

/** By a work item of each group, which has a reference to it. As right as one list for all. */
export function perGroup(habits: Habits = {}): StatsAlloc {
  return (options) => new PerGroupInstaller(options, habits);
}

class PerGroupInstaller implements StatsInstaller {
  readonly #memory: PerCpuAllocator;
  readonly #queue: WorkQueue;
  readonly #habits: Required<Habits>;
  /** Those that have work, which has a reference. */
  readonly #works = new Map<IoGroup, WorkItem>();

  constructor({ scheduler, memory }: StatsInstallerOptions, habits: Habits) {
    this.#memory = memory;
    this.#queue = new WorkQueue({ scheduler, name: "statistics" });
    const { settle = freesOwn, retryMs = 10, heedsCancel = true, isWaitedFor = false } = habits;
    this.#habits = { settle, retryMs, heedsCancel, isWaitedFor };
  }

  async request(group: IoGroup, task: Task): Promise<void> {
    if (this.#works.has(group)) return;
    const item = new WorkItem(`statistics of ${group.label}`, (worker) => this.#run(group, worker));
    group.get();
    this.#works.set(group, item);
    this.#queue.queue(item);
    if (this.#habits.isWaitedFor) await this.#queue.flush(item, task);
  }

  cancel(group: IoGroup): void {
    const item = this.#works.get(group);
    if (item === undefined || !this.#habits.heedsCancel) return;
    this.#works.delete(group);
    // A run in progress puts the reference itself.
    if (this.#queue.cancelDelayed(item)) group.put();
  }

  async stop(task: Task): Promise<void> {
    for (const [group, item] of this.#works) {
      if (await this.#queue.cancelSync(item, task)) group.put();
    }
    await this.#queue.destroy(task);
  }

  async #run(group: IoGroup, task: Task): Promise<void> {
    const { settle, retryMs } = this.#habits;
    const block = await this.#memory.alloc(GROUP_STAT_WORDS, GFP_KERNEL, task);
    const item = this.#works.get(group);
    if (block === null && item !== undefined) {
      this.#queue.queueDelayed(item, retryMs);
      return;
    }
    this.#works.delete(group);
    if (block !== null) {
      const mine = new GroupStats(block);
      settle(group.installStats(mine), mine, group, this.#memory);
    }
    group.put();
  }
}
