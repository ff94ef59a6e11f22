import { GFP_KERNEL, type Scheduler, type Task, WaitQueue } from "@blkstack/task";
import type { PageZone } from "./page-zone.ts";
import type { Reclaim } from "./reclaim.ts";

/**
 * A task of its own that frees pages before allocations have to. It stands outside all filesystems
 * and scopes and may do anything; whoever may not depends on it, so nobody must keep it waiting.
 */
export class BackgroundReclaim {
  readonly #zone: PageZone;
  readonly #reclaim: Reclaim;
  readonly #wanted = new WaitQueue("memory to run low");
  #isWanted = false;
  /** Times that a task began to wait for pages. */
  #stalls = 0;
  #isStopped = false;
  /** What was ever given back when a round last freed nothing. */
  #fruitlessSince = -1;

  constructor(scheduler: Scheduler, zone: PageZone, reclaim: Reclaim) {
    this.#zone = zone;
    this.#reclaim = reclaim;
    zone.onLow = (isStalled) => {
      this.#want(isStalled);
    };
    scheduler.spawn("kswapd", (task) => this.#run(task));
  }

  /** It goes once it has ended its round. Waits: never. */
  stop(): void {
    this.#isStopped = true;
    this.#zone.onLow = null;
    this.#wanted.wakeAll();
  }

  #want(isStalled: boolean): void {
    if (isStalled) this.#stalls += 1;
    if (this.#isWanted) return;
    // Not for each allocation while there is nothing to be had, but for each that nothing else helps.
    if (!isStalled && this.#fruitlessSince === this.#zone.givenPages) return;
    this.#isWanted = true;
    this.#wanted.wakeAll();
  }

  async #run(task: Task): Promise<void> {
    while (!this.#isStopped) {
      if (this.#isWanted) await this.#balance(task);
      else await this.#wanted.sleep(task);
    }
  }

  /** Rounds until enough is free, or one frees nothing. */
  async #balance(task: Task): Promise<void> {
    const zone = this.#zone;
    for (let missing = zone.missingPages(); missing > 0; missing = zone.missingPages()) {
      if (this.#isStopped) return;
      const before = zone.givenPages;
      const stallsBefore = this.#stalls;
      this.#reclaim.counters.backgroundRounds += 1;
      await this.#reclaim.round(missing, GFP_KERNEL, task);
      // Whoever has begun to wait meanwhile came too late for this round.
      if (zone.givenPages !== before || this.#stalls !== stallsBefore) continue;
      this.#fruitlessSince = before;
      break;
    }
    this.#isWanted = false;
  }
}
