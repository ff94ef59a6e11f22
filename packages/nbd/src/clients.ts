/** Clients in order of arrival, and how many come from each address. "" is nobody in particular, and is not counted. */
export class Clients<Client extends { readonly address: string }> implements Iterable<Client> {
  readonly #clients = new Set<Client>();
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#clients.size;
  }

  countFrom(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  add(client: Client): void {
    const { address } = client;
    this.#clients.add(client);
    if (address !== "") this.#counts.set(address, this.countFrom(address) + 1);
  }

  /** Harmless when it is not there. */
  delete(client: Client): void {
    if (!this.#clients.delete(client)) return;
    const { address } = client;
    const left = this.countFrom(address) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#clients.values();
  }
}
