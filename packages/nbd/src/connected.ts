import type { NbdLimits } from "./limits.ts";
import { PeerCounts } from "./peer-counts.ts";

/** The clients that have chosen an export, in order of arrival, and where they come from. */
export class Connected<Client extends { readonly address: string }> {
  readonly #limits: NbdLimits;
  readonly #clients = new Set<Client>();
  readonly #counts = new PeerCounts();

  constructor(limits: NbdLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Why there is no room for one more from an address; null: there is. "" has no limit of its own. */
  fullFor(address: string): string | null {
    if (this.size >= this.#limits.connectionsMax) return "too many connections";
    if (this.#counts.of(address) < this.#limits.connectionsPerPeerMax) return null;
    return `too many connections from ${address}`;
  }

  add(client: Client): void {
    this.#clients.add(client);
    this.#counts.add(client.address);
  }

  /** Harmless when it is not there. */
  delete(client: Client): void {
    if (this.#clients.delete(client)) this.#counts.remove(client.address);
  }

  values(): Iterable<Client> {
    return this.#clients;
  }
}
