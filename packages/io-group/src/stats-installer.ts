import { type PerCpuAllocator } from "@blkstack/memory";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import { AsyncStatsInstaller } from "./async-stats-installer.ts";
import type { IoGroup } from "./io-group.ts";
import { InPathStatsInstaller } from "./in-path-stats-installer.ts";

export interface StatsInstallerOptions {
  readonly scheduler: Scheduler;
  readonly memory: PerCpuAllocator;
}

/** Gets new groups their statistics. */
export interface StatsInstaller {
  /**
   * Has statistics installed in a group that was just linked; harmless when that was asked before.
   *
   * Waits: never, unless the policy says so.
   */
  request(group: IoGroup, task: Task): Awaitable<void>;

  /**
   * To be called before a group is unlinked: afterwards it is not touched any more. Waits: never.
   */
  cancel(group: IoGroup): void;

  /** Ends for good. Waits: until nothing is allocated any more. */
  stop(task: Task): Awaitable<void>;
}

/** Where and when statistics are allocated. */
export type StatsAlloc = (options: StatsInstallerOptions) => StatsInstaller;

/** By a worker, after the group is there. What the group does until then is not counted. */
export const correctAsync: StatsAlloc = (options) => new AsyncStatsInstaller(options);

/**
 * In the submission of the bio that the group is made for, as it was until 2011: nothing goes
 * uncounted, and a system deadlocks that has to write in order to get memory.
 */
export const syncInPath: StatsAlloc = ({ memory }) => new InPathStatsInstaller(memory);
