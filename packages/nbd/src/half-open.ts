import type { NbdLimits } from "./limits.ts";
import { PeerCounts } from "./peer-counts.ts";

/** The clients that still negotiate, in order of arrival, and where they come from. */
export class HalfOpen<Client extends { readonly address: string }> {
  readonly #limits: NbdLimits;
  readonly #clients = new Set<Client>();
  readonly #counts = new PeerCounts();

  constructor(limits: NbdLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#clients.size;
  }

  /**
   * Takes one more. Answers whom to close for it, since whoever came last is most likely to mean it:
   * the oldest, or the oldest from where too many come; null: nobody. Who has no address has no limit
   * of its own.
   */
  add(client: Client): Client | null {
    const { address } = client;
    this.#clients.add(client);
    this.#counts.add(address);
    if (this.#counts.of(address) > this.#limits.halfOpenPerPeerMax) return this.#oldestOf(address);
    if (this.size <= this.#limits.halfOpenMax) return null;
    const [oldest = null] = this.#clients;
    return oldest;
  }

  /** Harmless when it is not there. */
  delete(client: Client): void {
    if (this.#clients.delete(client)) this.#counts.remove(client.address);
  }

  #oldestOf(address: string): Client | null {
    for (const client of this.#clients) {
      if (client.address === address) return client;
    }
    return null;
  }
}
