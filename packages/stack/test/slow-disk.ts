import { type Bio, bioEndio, BioList, type Sectors } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { type Scheduler, Timer } from "@blkstack/task";

/** A disk that needs a millisecond for each bio, whatever it asks for. */
export class SlowDisk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: Sectors = 2048;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly #waiting = new BioList();
  readonly #head: Timer;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.queue = new RequestQueue(name, defaultLimits());
    this.#head = new Timer(scheduler, "a bio is served", () => {
      const bio = this.#waiting.pop();
      if (!this.#waiting.isEmpty) this.#head.arm(1);
      if (bio !== null) bioEndio(bio);
    });
  }

  submitBio(bio: Bio): void {
    this.#waiting.add(bio);
    if (!this.#head.isArmed) this.#head.arm(1);
  }
}
