import { PAGE_BYTES } from "@blkstack/bio";
import { type Task, WaitQueue } from "@blkstack/task";
import type { Memory } from "../memory.ts";
import { type SystemMemory, SystemMemoryFiles } from "./system-memory.ts";

/**
 * How often the system is asked. The kernel works its averages out every two seconds, so oftener
 * tells nothing new; and a cache that is emptied within seconds is emptied soon enough.
 */
const POLL_MS = 2000;
/** Below it a machine is merely busy. */
const STALLED_PERCENT_MAX = 10;
/** What is given back at a time when the machine stalls and does not say how much it needs. */
const RELIEF_SHARE = 1 / 16;

export interface SystemMemoryOptions {
  readonly memory: Memory;
  /** Where `proc` and `sys` are; `/` unless told. */
  readonly root?: string;
  /** How often to look, in ms; 2000 unless told. */
  readonly pollMs?: number;
}

/** Looks at the memory of the machine every now and then, in a task of its own. */
export class SystemMemoryWatch {
  /** Whether the machine tells anything: else nothing is watched. */
  readonly isOn: boolean;
  readonly #memory: Memory;
  readonly #pollMs: number;
  readonly #wakeUp = new WaitQueue("time to look at the memory of the machine");
  #isStopped = false;

  constructor(options: SystemMemoryOptions, files: SystemMemoryFiles | null) {
    this.isOn = files !== null;
    this.#memory = options.memory;
    this.#pollMs = options.pollMs ?? POLL_MS;
    if (files === null) return;
    options.memory.scheduler.spawn("memory pressure", (task) => this.#run(files, task));
  }

  /** Waits: never; a look under way comes to its end. */
  stop(): void {
    this.#isStopped = true;
    this.#wakeUp.wakeAll();
  }

  async #run(files: SystemMemoryFiles, task: Task): Promise<void> {
    const memory = this.#memory;
    for (;;) {
      if (!this.#isStopped) await this.#wakeUp.sleep(task, this.#pollMs);
      if (this.#isStopped) return;
      const usedPages = memory.totalPages - memory.freePages;
      const pages = pagesToFree(await files.read(), usedPages);
      if (pages > 0) await memory.relieve(pages, task);
    }
  }
}

/**
 * Has the caches of `memory` give back when the machine is short of memory: when its tasks stall for
 * it, or when our control group comes near its limit.
 */
export async function watchSystemMemory(options: SystemMemoryOptions): Promise<SystemMemoryWatch> {
  return new SystemMemoryWatch(options, await SystemMemoryFiles.find(options.root ?? "/"));
}

/** How many of the `usedPages` should go. */
export function pagesToFree(system: SystemMemory, usedPages: number): number {
  const isStalled = (system.stalledPercent ?? 0) >= STALLED_PERCENT_MAX;
  const share = isStalled ? Math.ceil(usedPages * RELIEF_SHARE) : 0;
  const excessPages = Math.ceil((system.excessBytes ?? 0) / PAGE_BYTES);
  return Math.min(usedPages, Math.max(share, excessPages));
}
