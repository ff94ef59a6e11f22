import { BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { CowIo } from "@blkstack/dm-snapshot";
import { type Access, AccessMode, type Scheduler, type Task } from "@blkstack/task";

const SIZE_SECTORS = 80;

/** A device that takes the bytes of a write some time after it was asked to. */
export class SlowCow implements CowIo {
  readonly sizeSectors: Sectors = SIZE_SECTORS;
  readonly #bytes = new Uint8Array(SIZE_SECTORS * SECTOR_BYTES);
  readonly #scheduler: Scheduler;
  readonly #object = { label: "cow" };

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  read(sector: Sectors, into: Uint8Array): BioStatus {
    this.#scheduler.touch(this.#access(AccessMode.Read, "read", sector));
    into.set(this.bytes(sector, into.length));
    return BioStatus.Ok;
  }

  async write(sector: Sectors, from: Uint8Array, _flags: number, task: Task): Promise<BioStatus> {
    // What is written is memory that others may write from, too: so the beginning counts as well.
    this.#scheduler.touch(this.#access(AccessMode.Write, "begin to write", sector));
    await this.#scheduler.mayPreempt(task, this.#access(AccessMode.Write, "write", sector));
    this.#bytes.set(from, sector * SECTOR_BYTES);
    return BioStatus.Ok;
  }

  /** What is there. */
  bytes(sector: Sectors, lengthBytes: number): Uint8Array {
    const begin = sector * SECTOR_BYTES;
    return this.#bytes.subarray(begin, begin + lengthBytes);
  }

  #access(mode: AccessMode, what: string, sector: Sectors): Access {
    return { object: this.#object, mode, label: `${what} sector ${String(sector)} of cow` };
  }
}
