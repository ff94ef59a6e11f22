import type { CopyJob } from "./job.ts";

/** Jobs in a row. A job is on one list at most. */
export class JobList {
  #head: CopyJob | null = null;
  #tail: CopyJob | null = null;

  get head(): CopyJob | null {
    return this.#head;
  }

  push(job: CopyJob): void {
    if (this.#tail === null) this.#head = job;
    else this.#tail.next = job;
    this.#tail = job;
  }

  pop(): CopyJob | null {
    const job = this.#head;
    if (job !== null) this.#unlink(job, null);
    return job;
  }

  /** Takes the first job that can be started, over the heads of those that cannot. */
  popStartable(): CopyJob | null {
    let before: CopyJob | null = null;
    for (let job = this.#head; job !== null; before = job, job = job.next) {
      if (!job.isStartable) continue;
      this.#unlink(job, before);
      return job;
    }
    return null;
  }

  /** Takes over all of `other`, behind its own. */
  takeAll(other: JobList): void {
    if (other.#head === null) return;
    if (this.#tail === null) this.#head = other.#head;
    else this.#tail.next = other.#head;
    this.#tail = other.#tail;
    other.#head = null;
    other.#tail = null;
  }

  #unlink(job: CopyJob, before: CopyJob | null): void {
    if (before === null) this.#head = job.next;
    else before.next = job.next;
    if (this.#tail === job) this.#tail = before;
    job.next = null;
  }
}
