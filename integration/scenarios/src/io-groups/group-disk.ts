import type { Bio } from "@blkstack/bio";
import { type BlockDevice, RequestQueue, stackingLimits, type Submitter } from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { ThrottlePort } from "@blkstack/throttle";

/** A disk for the bios of one group: each goes through the throttle inside its submission. */
export class GroupDisk implements BlockDevice {
  readonly name = "sda of tenant";
  readonly isReadOnly = false;
  readonly queue: RequestQueue = new RequestQueue("sda of tenant", stackingLimits());
  readonly #below: BlockDevice;
  readonly #port: ThrottlePort;
  readonly #submitter: Submitter;

  constructor(below: BlockDevice, port: ThrottlePort, submitter: Submitter) {
    this.#below = below;
    this.#port = port;
    this.#submitter = submitter;
  }

  get sizeSectors(): number {
    return this.#below.sizeSectors;
  }

  submitBio(bio: Bio, task: Task): Awaitable<void> {
    bio.device = this.#below;
    const isHeld = this.#port.throttle(bio, task);
    if (isPending(isHeld)) return isHeld.then((held) => this.#send(held, bio, task));
    return this.#send(isHeld, bio, task);
  }

  #send(isHeld: boolean, bio: Bio, task: Task): Awaitable<void> {
    return isHeld ? undefined : this.#submitter.submitBio(bio, task);
  }
}
