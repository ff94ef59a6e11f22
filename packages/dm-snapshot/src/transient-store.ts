import { BioStatus, type Sectors } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";
import type { CowIo } from "./cow-io.ts";
import { type StoreUsage, usageText } from "./cow-layout.ts";
import {
  type CommitListener,
  type ExceptionStore,
  LoadResult,
  type MergeRun,
  type PreparedException,
} from "./exception-store.ts";

/** A store that writes nothing down: all of the COW device is data, forgotten with the table. */
export class TransientStore implements ExceptionStore {
  readonly type = "N";
  readonly canOverflow = false;
  readonly canMerge = false;
  readonly chunkSectors: Sectors;
  readonly #io: Pick<CowIo, "sizeSectors">;
  #nextFreeSector: Sectors = 0;
  #isValid = true;

  constructor(io: Pick<CowIo, "sizeSectors">, chunkSectors: Sectors) {
    this.#io = io;
    this.chunkSectors = chunkSectors;
  }

  get isValid(): boolean {
    return this.#isValid;
  }

  load(): LoadResult {
    return LoadResult.Usable;
  }

  prepare(): number {
    if (this.#io.sizeSectors < this.#nextFreeSector + this.chunkSectors) return -1;
    const newChunk = this.#nextFreeSector / this.chunkSectors;
    this.#nextFreeSector += this.chunkSectors;
    return newChunk;
  }

  commit({ isCopied }: PreparedException, listener: CommitListener, task: Task): Awaitable<void> {
    if (!isCopied) this.#isValid = false;
    return listener.onCommitted(this.#isValid, task);
  }

  prepareMerge(): MergeRun | BioStatus | null {
    return BioStatus.NotSupported;
  }

  commitMerge(): BioStatus {
    return BioStatus.NotSupported;
  }

  drop(): BioStatus {
    this.#isValid = false;
    return BioStatus.Ok;
  }

  usage(): StoreUsage {
    return {
      allocatedSectors: this.#nextFreeSector,
      totalSectors: this.#io.sizeSectors,
      metadataSectors: 0,
    };
  }

  statusText(): string {
    return usageText(this.usage());
  }

  remaining(): number {
    const freeSectors = this.#io.sizeSectors - this.#nextFreeSector;
    return Math.max(0, Math.floor(freeSectors / this.chunkSectors));
  }

  canShrinkTo(sectors: Sectors): boolean {
    return sectors >= this.#nextFreeSector;
  }
}
