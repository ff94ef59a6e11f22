import type { Awaitable, Task } from "@blkstack/task";

/** Somebody above a mapped device who keeps changes back from it, like a filesystem. */
export interface DeviceUser {
  /**
   * Bring everything to the device, and change nothing more until `onThaw`; bios still flow. Throw
   * to refuse: the suspend is undone. Waits: as it must.
   */
  onFreeze(task: Task): Awaitable<void>;
  /** Go on: the device was resumed, or its suspend came to nothing. Must not throw. */
  onThaw(task: Task): Awaitable<void>;
}

/** Those who are to be asked before a device is suspended. */
export class DeviceUsers {
  readonly #all: DeviceUser[] = [];
  /** In the order in which they froze. */
  readonly #frozen: DeviceUser[] = [];

  /** Answers how to be asked no more. */
  add(user: DeviceUser): () => void {
    this.#all.push(user);
    return () => {
      const index = this.#all.indexOf(user);
      if (index >= 0) this.#all.splice(index, 1);
    };
  }

  /** Whoever came last stands highest, and comes first. Throws what a user throws. */
  async freeze(task: Task): Promise<void> {
    for (const user of this.#all.toReversed()) {
      await user.onFreeze(task);
      this.#frozen.push(user);
    }
  }

  /** Those who froze, the lowest first. */
  async thaw(task: Task): Promise<void> {
    for (let user = this.#frozen.pop(); user !== undefined; user = this.#frozen.pop()) {
      await user.onThaw(task);
    }
  }
}
