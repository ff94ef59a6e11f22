import type { BioStatus } from "@blkstack/bio";
import { type Bio } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import type { Task, Waitable } from "@blkstack/task";

/** One bio that a task waits for. */
class BioWait implements Waitable {
  readonly label: string;
  readonly #task: Task;
  #status: BioStatus | null = null;
  #isAsleep = false;

  constructor(label: string, task: Task) {
    this.label = label;
    this.#task = task;
  }

  /** Whoever holds the bio, further down. */
  blockers(): readonly object[] {
    return [];
  }

  /** Interrupt context. Wakes the task only from this wait: on its way down it sleeps elsewhere. */
  ended(status: BioStatus): void {
    this.#status = status;
    if (this.#isAsleep) this.#task.scheduler.wake(this.#task);
  }

  async outcome(): Promise<BioStatus> {
    while (this.#status === null) {
      this.#isAsleep = true;
      await this.#task.scheduler.sleep(this.#task, this);
      this.#isAsleep = false;
    }
    return this.#status;
  }
}

function waitedForEnded(bio: Bio): void {
  const wait = bio.private as BioWait;
  const { status } = bio;
  bio.put();
  wait.ended(status);
}

/** Submits a bio, which is put when it ends. Waits: until it has ended. */
export async function submitAndWait(
  bio: Bio,
  submitter: Submitter,
  task: Task,
): Promise<BioStatus> {
  const wait = new BioWait(bio.toString(), task);
  bio.private = wait;
  bio.endIo = waitedForEnded;
  await submitter.submitBio(bio, task);
  return wait.outcome();
}
