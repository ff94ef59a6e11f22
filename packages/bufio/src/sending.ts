import type { Submitter } from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";

/** Buffers whose I/O one task has claimed under the lock, and sends when it has let go of that. */
export class SendList {
  #first: BlockBuffer | null = null;
  #last: BlockBuffer | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  add(buffer: BlockBuffer): void {
    if (this.#last === null) this.#first = buffer;
    else this.#last.nextToSend = buffer;
    this.#last = buffer;
  }

  /** Waits: as long as the device takes to accept. */
  send(submitter: Submitter, task: Task): Awaitable<void> {
    for (let buffer = this.#pop(); buffer !== null; buffer = this.#pop()) {
      const sending = sendOne(buffer, submitter, task);
      if (isPending(sending)) return this.#sendRest(sending, submitter, task);
    }
  }

  async #sendRest(sending: Promise<void>, submitter: Submitter, task: Task): Promise<void> {
    await sending;
    for (let buffer = this.#pop(); buffer !== null; buffer = this.#pop()) {
      await sendOne(buffer, submitter, task);
    }
  }

  #pop(): BlockBuffer | null {
    const buffer = this.#first;
    if (buffer === null) return null;
    this.#first = buffer.nextToSend;
    buffer.nextToSend = null;
    if (this.#first === null) this.#last = null;
    return buffer;
  }
}

/** Sends the I/O that is claimed for a buffer. Waits: as long as the device takes to accept. */
export function sendOne(buffer: BlockBuffer, submitter: Submitter, task: Task): Awaitable<void> {
  const bio = buffer.bioToSend();
  buffer.sender = null;
  return submitter.submitBio(bio, task);
}
