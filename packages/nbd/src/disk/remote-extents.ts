import { clearTimeout, setTimeout } from "node:timers";
import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { AskedExtent } from "@blkstack/block";
import { NbdClient } from "../client.ts";
import type { NbdAddress } from "../uri.ts";

/** How long the server may take to answer; then nothing is known. */
const ANSWER_MS = 5000;
/** A question is about so much at the most. */
const QUESTION_SECTORS_MAX: Sectors = 2 ** 21;

interface Asking {
  readonly client: Promise<NbdClient>;
  readonly stop: AbortController;
}

/**
 * What a server knows of the sectors of an export: holes, and zeroes. It is asked on a connection of
 * its own, made with the first question, so that long answers keep no reads waiting.
 */
export class RemoteExtents {
  readonly #address: NbdAddress;
  readonly #sizeSectors: Sectors;
  readonly #onFailure: (error: Error) => void;
  #asking: Asking | null = null;
  readonly #stop = new AbortController();

  /** `onFailure` hears why nothing could be known this time. */
  constructor(address: NbdAddress, sizeSectors: Sectors, onFailure: (error: Error) => void) {
    this.#address = address;
    this.#sizeSectors = sizeSectors;
    this.#onFailure = onFailure;
  }

  /** As `askExtents` of an asking device. */
  async ask(sector: Sectors): Promise<readonly AskedExtent[]> {
    if (this.#isClosed()) return [];
    const asking = (this.#asking ??= this.#connect());
    const timer = setTimeout(() => {
      asking.stop.abort();
    }, ANSWER_MS);
    try {
      const client = await asking.client;
      return client.hasBlockStatus ? await this.#answer(client, sector) : [];
    } catch (error) {
      asking.stop.abort();
      if (this.#asking === asking) this.#asking = null;
      if (!this.#isClosed()) this.#onFailure(error as Error);
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Leaves the server. */
  close(): void {
    this.#stop.abort();
    this.#asking?.stop.abort();
    this.#asking = null;
  }

  #isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  #connect(): Asking {
    const stop = new AbortController();
    const options = { extendedHeaders: true, blockStatus: true, signal: stop.signal };
    const client = NbdClient.connect(this.#address, this.#address.exportName, options);
    return { client, stop };
  }

  async #answer(client: NbdClient, sector: Sectors): Promise<AskedExtent[]> {
    const sectors = Math.min(this.#sizeSectors - sector, QUESTION_SECTORS_MAX);
    const extents = await client.blockStatus(sector * SECTOR_BYTES, sectors * SECTOR_BYTES);
    return wholeSectors(extents);
  }
}

/** A sector of which parts differ is as little as all of them are. */
function wholeSectors(
  extents: readonly { readonly lengthBytes: number; readonly flags: number }[],
): AskedExtent[] {
  const asked: AskedExtent[] = [];
  /** Of the sector that is begun: how much of it is told, and what all of that is. */
  let begunBytes = 0;
  let begunFlags = 0;
  for (const { lengthBytes, flags } of extents) {
    let left = lengthBytes;
    if (begunBytes > 0) {
      const taken = Math.min(left, SECTOR_BYTES - begunBytes);
      begunBytes += taken;
      begunFlags &= flags;
      left -= taken;
      if (begunBytes < SECTOR_BYTES) continue;
      asked.push({ sectors: 1, flags: begunFlags });
    }
    const sectors = Math.floor(left / SECTOR_BYTES);
    if (sectors > 0) asked.push({ sectors, flags });
    begunBytes = left - sectors * SECTOR_BYTES;
    begunFlags = flags;
  }
  return asked;
}
