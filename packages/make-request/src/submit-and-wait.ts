import { type Bio, type BioStatus, invariant } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { type Awaitable, isPending, type Task, type Waitable } from "@blkstack/task";

/**
 * Submits a bio and waits for its end; answers its status. The bio is the caller's again, to be
 * put, or reset and used once more.
 *
 * Waits: until the bio has ended. Never to be called from inside a driver call of the same task: the
 * bio would be parked on the task until that call returns, and it would not, for it waits for the
 * bio. An `InvariantError` says so instead.
 */
export function submitAndWait(submitter: Submitter, bio: Bio, task: Task): Awaitable<BioStatus> {
  invariant(
    task.bioLists === null,
    `${task.name} would wait for a bio that it parks itself: ${bio.toString()}`,
  );
  invariant(bio.endIo === null && bio.private === null, "a bio to wait for has an endIo already");
  const end = new BioEnd(bio, task);
  bio.private = end;
  bio.endIo = noteEnd;
  const submitted = submitter.submitBio(bio, task);
  if (isPending(submitted)) return waitForBoth(submitted, end);
  return end.hasCome ? bio.status : end.wait();
}

async function waitForBoth(submitted: Promise<void>, end: BioEnd): Promise<BioStatus> {
  await submitted;
  return end.wait();
}

function noteEnd(bio: Bio): void {
  (bio.private as BioEnd).come();
}

/** The end of one bio, for one task to wait for. */
class BioEnd implements Waitable {
  readonly label: string;
  hasCome = false;
  readonly #bio: Bio;
  readonly #task: Task;

  constructor(bio: Bio, task: Task) {
    this.label = `end of ${bio.toString()}`;
    this.#bio = bio;
    this.#task = task;
  }

  blockers(): readonly object[] {
    return [this.#bio];
  }

  /** Interrupt context. */
  come(): void {
    this.hasCome = true;
    this.#bio.endIo = null;
    this.#bio.private = null;
    this.#task.scheduler.wake(this.#task);
  }

  async wait(): Promise<BioStatus> {
    while (!this.hasCome) await this.#task.scheduler.sleep(this.#task, this);
    return this.#bio.status;
  }
}
