import { type Bio, BioState, invariant } from "@blkstack/bio";
import type { SubmitHook } from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";

const THROTTLED = BioState.Throttled;

/** The throttle, as one of its ports knows it. */
export interface PortOwner {
  /** Whether the bio is held. Waits: never, or for statistics. */
  admit(bio: Bio, port: ThrottlePort, task: Task): Awaitable<boolean>;
  /** Waits: until what waited for the port has gone on. */
  drain(port: ThrottlePort, task: Task): Awaitable<void>;
  /** The port is no user of its group any more. */
  closed(): void;
}

/**
 * The way of one user of a group through the throttle. Several may share a group, and then its
 * limits.
 *
 * As the hook of a queue it charges each bio once, into however many parts it is cut afterwards, and
 * marks it. The driver behind takes the mark off, so that devices below charge it again.
 */
export class ThrottlePort implements SubmitHook {
  /** Null: of the root. */
  readonly groupName: string | null;
  readonly #throttle: PortOwner;
  #mayHold = true;
  #isOpen = true;

  /** Not for users: `Throttle.openPort` makes ports. */
  constructor(throttle: PortOwner, groupName: string | null) {
    this.#throttle = throttle;
    this.groupName = groupName;
  }

  /** Whether bios are held at present. */
  get mayHold(): boolean {
    return this.#mayHold;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Whether a bio is held: then it will be submitted to its device later, and the caller must not
   * touch it. If not, it may go, and is charged.
   *
   * Waits: never, with statistics that are installed later.
   */
  throttle(bio: Bio, task: Task): Awaitable<boolean> {
    invariant(this.#isOpen, "a bio for a port that was closed");
    return this.#throttle.admit(bio, this, task);
  }

  /** For a queue whose device calls `arrived`. Waits: never. */
  take(bio: Bio, task: Task): boolean {
    if ((bio.state & THROTTLED) !== 0) return false;
    bio.state |= THROTTLED;
    // A hook must not wait, so under an exploring scheduler nobody else may come in between.
    task.atomicDepth += 1;
    const isHeld = this.throttle(bio, task);
    task.atomicDepth -= 1;
    if (isPending(isHeld)) invariant(false, "a hook cannot wait for statistics");
    return isHeld;
  }

  /** A bio that `take` let through is with the driver. Waits: never. */
  arrived(bio: Bio): void {
    bio.state &= ~THROTTLED;
  }

  /** From here to `hold` bios are charged but not held. Waits: until those that are held have gone on. */
  release(task: Task): Awaitable<void> {
    this.#mayHold = false;
    return this.#throttle.drain(this, task);
  }

  /** Holds bios again, as at the beginning. Waits: never. */
  hold(): void {
    this.#mayHold = true;
  }

  /** For good. Waits: until what is held has gone on. */
  async close(task: Task): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.release(task);
    this.#throttle.closed();
  }
}
