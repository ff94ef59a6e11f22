import type { Bytes } from "@blkstack/bio";
import type { NbdLimits } from "./limits.ts";

/** What one connection has had read and not yet seen answered, and whether more may join it. */
export class InFlight {
  readonly #limits: NbdLimits;
  requests = 0;
  bytes: Bytes = 0;

  constructor(limits: NbdLimits) {
    this.#limits = limits;
  }

  /** One request is always let through, however large. */
  hasRoom(bytes: Bytes): boolean {
    if (this.requests >= this.#limits.requestsInFlightMax) return false;
    return this.requests === 0 || this.bytes + bytes <= this.#limits.bytesInFlightMax;
  }

  add(bytes: Bytes): void {
    this.requests += 1;
    this.bytes += bytes;
  }

  remove(bytes: Bytes): void {
    this.requests -= 1;
    this.bytes -= bytes;
  }
}
