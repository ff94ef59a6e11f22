import type { Bio, Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  type QueueLimits,
  RequestQueue,
  stackingLimits,
  type Submitter,
} from "@blkstack/block";
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
    this.queue = new RequestQueue(name, uncut(below.queue.limits));
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

/** Bios are cut by the device below, after they were charged. */
function uncut(limits: QueueLimits): QueueLimits {
  const { maxSectors, maxHwSectors, maxSegments, maxSegmentBytes, chunkSectors } = stackingLimits();
  return { ...limits, maxSectors, maxHwSectors, maxSegments, maxSegmentBytes, chunkSectors };
}
