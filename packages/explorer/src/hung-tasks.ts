import type { Check } from "./check.ts";
import { isStuck } from "./wait-for-graph.ts";

/** After how long a kernel says that a task hangs. */
export const HUNG_TASK_MS = 120_000;

/**
 * Finds tasks that have waited for longer than `hungTaskMs` of virtual time, although time moves on
 * for others. Whoever sleeps for a time of its own choosing does not hang.
 */
export function hungTasks(hungTaskMs: number = HUNG_TASK_MS): Check {
  return {
    name: "hung tasks",
    inspect: () => null,
    watch: ({ scheduler }) => ({
      timerFired() {
        if (scheduler.isProbing) return;
        const nowMs = scheduler.time.nowMs();
        for (const task of scheduler.tasks) {
          if (task.waitingFor === null || task.hasTimeout || !isStuck(task)) continue;
          const waitedMs = nowMs - task.waitsSinceMs;
          if (waitedMs <= hungTaskMs) continue;
          const message = `${task.name} has waited for ${task.waitingFor.label} for ${String(waitedMs)} ms`;
          scheduler.found({ kind: "HUNG_TASK", message });
          return;
        }
      },
    }),
  };
}
