import type { Bytes } from "@blkstack/bio";
import type { FedBytes } from "./fed-bytes.ts";
import type { MetaContext } from "./meta-context.ts";
import type { Request } from "./request.ts";
import { filterBytesMax, readFilter } from "./status-filter.ts";

/**
 * Takes what follows the headers of requests, one request after the other, in pieces of any size.
 * Each method answers false when there is more to come.
 */
export class PayloadIntake {
  readonly #fed: FedBytes;
  readonly #contexts: readonly MetaContext[];
  readonly #filter: Buffer;
  #discardBytes: Bytes = 0;

  /** `contexts` are those that a BLOCK_STATUS may choose from. */
  constructor(fed: FedBytes, contexts: readonly MetaContext[]) {
    this.#fed = fed;
    this.#contexts = contexts;
    this.#filter = Buffer.alloc(filterBytesMax(contexts.length));
  }

  /** What a WRITE writes, into its memory. */
  takeData(request: Request): boolean {
    const { page, lengthBytes, skipBytes, arrivedBytes } = request;
    const missing = lengthBytes - arrivedBytes;
    if (missing === 0 || page === null) return true;
    const taken = this.#fed.copyInto(page.bytes, skipBytes + arrivedBytes, missing);
    request.arrivedBytes += taken;
    return taken === missing;
  }

  /** What a BLOCK_STATUS is about. */
  takeFilter(request: Request): boolean {
    const { arrivedBytes, payloadBytes } = request;
    const missing = payloadBytes - arrivedBytes;
    request.arrivedBytes += this.#fed.copyInto(this.#filter, arrivedBytes, missing);
    return request.arrivedBytes === payloadBytes;
  }

  /** Puts into the request what its filter says. Answers false when that is nonsense. */
  applyFilter(request: Request): boolean {
    const filter = readFilter(this.#filter.subarray(0, request.payloadBytes), this.#contexts);
    request.payloadBytes = 0;
    if (filter === null) return false;
    request.contexts = filter.contexts;
    request.lengthBytes = filter.lengthBytes;
    return true;
  }

  /** Has `discard` forget what a request brings. */
  beginDiscard({ payloadBytes }: Request): void {
    this.#discardBytes = payloadBytes;
  }

  discard(): boolean {
    this.#discardBytes -= this.#fed.skip(this.#discardBytes);
    return this.#discardBytes === 0;
  }
}
