import type { Bio, Sectors } from "@blkstack/bio";
import { type BlockDevice, RequestQueue, type Submitter } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import type { ThrottlePort } from "./throttle-port.ts";

/** A device for one user of a group: as the one below, within the limits of the group. */
export class ThrottledDevice implements BlockDevice {
  readonly name: string;
  readonly queue: RequestQueue;
  readonly isReadOnly: boolean;
  readonly #below: BlockDevice;
  readonly #port: ThrottlePort;
  readonly #submitter: Submitter;

  constructor(name: string, below: BlockDevice, port: ThrottlePort, submitter: Submitter) {
    this.name = name;
    this.queue = new RequestQueue(name, below.queue.limits);
    this.queue.submitHook = port;
    this.isReadOnly = below.isReadOnly;
    this.#below = below;
    this.#port = port;
    this.#submitter = submitter;
  }

  get sizeSectors(): Sectors {
    return this.#below.sizeSectors;
  }

  /** Waits: as the device below does. */
  submitBio(bio: Bio, task: Task): Awaitable<void> {
    this.#port.arrived(bio);
    bio.device = this.#below;
    return this.#submitter.submitBio(bio, task);
  }
}
