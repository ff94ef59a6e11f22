import { type Bio, bioEndio, BioList, type Sectors } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { type Scheduler, Timer } from "@blkstack/task";

/** A disk that serves one bio at a time, each for so many milliseconds; 0: in the call. */
export class TimedDisk implements BlockDevice {
  readonly name = "slow";
  readonly sizeSectors: Sectors = 1 << 20;
  readonly isReadOnly = false;
  readonly queue: RequestQueue = new RequestQueue("slow", defaultLimits());
  /** Most bios that it ever had at a time. */
  mostAtOnce = 0;
  #count = 0;
  readonly #msEach: number;
  readonly #waiting = new BioList();
  readonly #timer: Timer;

  constructor(scheduler: Scheduler, msEach: number) {
    this.#msEach = msEach;
    this.#timer = new Timer(scheduler, "a bio is served", () => {
      const bio = this.#waiting.pop();
      this.#count -= 1;
      if (this.#count > 0) this.#timer.arm(this.#msEach);
      if (bio !== null) bioEndio(bio);
    });
  }

  submitBio(bio: Bio): void {
    if (this.#msEach === 0) {
      bioEndio(bio);
      return;
    }
    this.#waiting.add(bio);
    this.#count += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#count);
    if (!this.#timer.isArmed) this.#timer.arm(this.#msEach);
  }
}
