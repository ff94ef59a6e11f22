import type { BlockDevice, TargetHost } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import { EventCount } from "./event-count.ts";
import type { LifeCycle } from "./life-cycle.ts";

/** One mapped device, to its own targets. */
export class HostOfTargets implements TargetHost {
  readonly device: BlockDevice;
  readonly events: EventCount;
  readonly #lifeCycle: LifeCycle;
  readonly #log: (line: string) => void;

  constructor(lifeCycle: LifeCycle, log: (line: string) => void) {
    this.device = lifeCycle.device;
    this.events = new EventCount(`events of ${this.device.name}`);
    this.#lifeCycle = lifeCycle;
    this.#log = log;
  }

  get isSuspended(): boolean {
    return this.#lifeCycle.isSuspended;
  }

  suspendInternally(task: Task): Awaitable<void> {
    return this.#lifeCycle.suspendInternally(task);
  }

  resumeInternally(task: Task): Awaitable<void> {
    return this.#lifeCycle.resumeInternally(task);
  }

  raiseEvent(): void {
    this.events.raise();
  }

  log(message: string): void {
    this.#log(`${this.device.name}: ${message}`);
  }
}
