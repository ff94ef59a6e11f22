import { Clients } from "./clients.ts";
import type { NbdLimits } from "./limits.ts";

/** The clients that have chosen an export. */
export class Connected<Client extends { readonly address: string }> extends Clients<Client> {
  readonly #limits: NbdLimits;

  constructor(limits: NbdLimits) {
    super();
    this.#limits = limits;
  }

  /** Why there is no room for one more from an address; null: there is. "" has no limit of its own. */
  fullFor(address: string): string | null {
    if (this.size >= this.#limits.connectionsMax) return "too many connections";
    if (this.countFrom(address) < this.#limits.connectionsPerPeerMax) return null;
    return `too many connections from ${address}`;
  }
}
