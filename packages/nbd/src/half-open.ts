import type { NbdLimits } from "./limits.ts";

/** The clients that still negotiate, in order of arrival, and where they come from. */
export class HalfOpen<Client> {
  readonly #limits: NbdLimits;
  readonly #peers = new Map<Client, string>();
  readonly #counts = new Map<string, number>();

  constructor(limits: NbdLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#peers.size;
  }

  /**
   * Takes one more. Answers whom to close for it, since whoever came last is most likely to mean it:
   * the oldest, or the oldest from where too many come; null: nobody. A `peer` of "" is nobody in
   * particular, and has no limit of its own.
   */
  add(client: Client, peer: string): Client | null {
    const count = (this.#counts.get(peer) ?? 0) + 1;
    this.#counts.set(peer, count);
    this.#peers.set(client, peer);
    if (peer !== "" && count > this.#limits.halfOpenPerPeerMax) return this.#oldestOf(peer);
    if (this.size <= this.#limits.halfOpenMax) return null;
    const [oldest = null] = this.#peers.keys();
    return oldest;
  }

  /** Harmless when it is not there. */
  delete(client: Client): void {
    const peer = this.#peers.get(client);
    if (peer === undefined) return;
    this.#peers.delete(client);
    const left = (this.#counts.get(peer) ?? 0) - 1;
    if (left > 0) this.#counts.set(peer, left);
    else this.#counts.delete(peer);
  }

  #oldestOf(peer: string): Client | null {
    for (const [client, from] of this.#peers) {
      if (from === peer) return client;
    }
    return null;
  }
}
