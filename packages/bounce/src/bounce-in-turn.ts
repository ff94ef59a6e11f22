import { type Bio, invariant } from "@blkstack/bio";
import { type Awaitable, isPending, Mutex, type Task } from "@blkstack/task";
import type { Bounce } from "./bounce.ts";
import { MUST_SUCCEED } from "./patience.ts";

/**
 * Bounces for any number of tasks, of which one at a time takes what it needs. So no two of them hold
 * a part each, and pools that suffice for one bio suffice for all: whoever else holds something
 * has all it wants, and has it in flight.
 *
 * That is right for who submits each bio before the next is bounced, and for pools of its own.
 */
export class BounceInTurn {
  readonly #bounce: Bounce;
  readonly #turn: Mutex;

  constructor(bounce: Bounce, name: string) {
    this.#bounce = bounce;
    this.#turn = new Mutex(`turn to bounce for ${name}`);
  }

  /** As `Bounce.bounce`, and never null. Waits: for its turn, then for what it needs. */
  bounce(bio: Bio, task: Task): Awaitable<Bio> {
    if (!this.#bounce.needs(bio)) return bio;
    const locked = this.#turn.lock(task);
    if (isPending(locked)) return this.#bounceAfter(locked, bio, task);
    const bounced = this.#bounce.bounce(bio, MUST_SUCCEED, task);
    if (isPending(bounced)) return this.#unlockAfter(bounced, task);
    return this.#unlock(bounced, task);
  }

  async #bounceAfter(locked: Promise<void>, bio: Bio, task: Task): Promise<Bio> {
    await locked;
    return this.#unlock(await this.#bounce.bounce(bio, MUST_SUCCEED, task), task);
  }

  async #unlockAfter(bounced: Promise<Bio | null>, task: Task): Promise<Bio> {
    return this.#unlock(await bounced, task);
  }

  #unlock(bounced: Bio | null, task: Task): Bio {
    this.#turn.unlock(task);
    invariant(bounced !== null, "a bounce failed that may wait");
    return bounced;
  }
}
