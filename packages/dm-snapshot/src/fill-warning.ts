import type { TargetHost } from "@blkstack/block";

/** How full a store gets before people are told, unless they say. */
export const EARLY_WARNING_PERCENT = 90;

/** Tells people in time that a store gets full: once for each level that they ask for. */
export class FillWarning {
  readonly #host: TargetHost;
  #percent: number = EARLY_WARNING_PERCENT;
  #isTold = false;
  #hasEvent = false;

  constructor(host: TargetHost) {
    this.#host = host;
  }

  /** How full the store may get. Who sets it wants an event, too. */
  set percent(percent: number) {
    this.#percent = percent;
    this.#isTold = false;
    this.#hasEvent = true;
  }

  /** To be called whenever room was taken, in sectors. Waits: never. */
  check(usedSectors: number, totalSectors: number): void {
    if (this.#isTold || usedSectors * 100 < totalSectors * this.#percent) return;
    this.#isTold = true;
    this.#host.log(
      `the store is ${String(Math.floor((usedSectors * 100) / totalSectors))} % full: ` +
        `${String(usedSectors)} of ${String(totalSectors)} sectors`,
    );
    if (this.#hasEvent) this.#host.raiseEvent();
  }
}
