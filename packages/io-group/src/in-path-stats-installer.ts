import { GFP_KERNEL, type PerCpuAllocator, type PerCpuBlock } from "@blkstack/memory";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { GroupStats } from "./group-stats.ts";
import type { IoGroup } from "./io-group.ts";
import { GROUP_STAT_WORDS } from "./stat-words.ts";

/** Installs statistics at once, in the name of whoever needs the group. */
export class InPathStatsInstaller {
  readonly #memory: PerCpuAllocator;

  constructor(memory: PerCpuAllocator) {
    this.#memory = memory;
  }

  /** Waits: for memory, with all its rights. If there is none the group stays without. */
  request(group: IoGroup, task: Task): Awaitable<void> {
    const allocated = this.#memory.alloc(GROUP_STAT_WORDS, GFP_KERNEL, task);
    if (isPending(allocated)) return this.#requestAfter(allocated, group);
    this.#install(allocated, group);
  }

  /** Nothing is kept of a group. */
  cancel(): void {
    return undefined;
  }

  stop(): void {
    return undefined;
  }

  async #requestAfter(allocated: Promise<PerCpuBlock | null>, group: IoGroup): Promise<void> {
    // The caller waits with us, and nobody else may see the group go meanwhile.
    group.get();
    this.#install(await allocated, group);
    group.put();
  }

  #install(block: PerCpuBlock | null, group: IoGroup): void {
    if (block === null) return;
    if (group.installStats(new GroupStats(block)) !== null) this.#memory.free(block);
  }
}
