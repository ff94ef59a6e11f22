import { Clients } from "./clients.ts";
import type { NbdLimits } from "./limits.ts";

/** The clients that still negotiate. */
export class HalfOpen<Client extends { readonly address: string }> extends Clients<Client> {
  readonly #limits: NbdLimits;

  constructor(limits: NbdLimits) {
    super();
    this.#limits = limits;
  }

  /**
   * Takes one more. Answers whom to close for it, since whoever came last is most likely to mean it:
   * the oldest, or the oldest from where too many come; null: nobody. Who has no address has no limit
   * of its own.
   */
  admit(client: Client): Client | null {
    const { address } = client;
    this.add(client);
    if (this.countFrom(address) > this.#limits.halfOpenPerPeerMax) return this.#oldestOf(address);
    if (this.size <= this.#limits.halfOpenMax) return null;
    const [oldest = null] = this;
    return oldest;
  }

  #oldestOf(address: string): Client | null {
    for (const client of this) {
      if (client.address === address) return client;
    }
    return null;
  }
}
