import { BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { DmIoClient, IoListener, IoRequest } from "@blkstack/kcopyd";
import { type Awaitable, Completion, isPending, type Task } from "@blkstack/task";
import type { CowIo, CowRead } from "./cow-io.ts";

/** Reads and writes the metadata of a store. In process context only, never from inside `map`. */
export class DeviceCowIo implements CowIo {
  readonly #device: BlockDevice;
  readonly #client: DmIoClient;

  /** Chunks are read from one, and written to the other. */
  readonly logicalBlockBytes: readonly number[];

  constructor(origin: BlockDevice, device: BlockDevice, client: DmIoClient) {
    this.#device = device;
    this.#client = client;
    this.logicalBlockBytes = [origin, device].map(({ queue }) => queue.limits.logicalBlockBytes);
  }

  /** As it is now: devices grow. */
  get sizeSectors(): Sectors {
    return this.#device.sizeSectors;
  }

  read(sector: Sectors, into: Uint8Array, task: Task): Awaitable<BioStatus> {
    return this.#io(BioOp.Read, 0, { sector, bytes: into }, task);
  }

  async readAll(pieces: readonly CowRead[], task: Task): Promise<BioStatus> {
    const end = new EndOfReads(pieces.length, task);
    for (const { sector, into } of pieces) {
      await this.#client.io(this.#request(BioOp.Read, 0, sector, into), end, task);
    }
    return end.wait(task);
  }

  write(sector: Sectors, from: Uint8Array, flags: number, task: Task): Awaitable<BioStatus> {
    return this.#io(BioOp.Write, flags, { sector, bytes: from }, task);
  }

  #io(
    op: BioOp,
    flags: number,
    { sector, bytes }: { readonly sector: Sectors; readonly bytes: Uint8Array },
    task: Task,
  ): Awaitable<BioStatus> {
    const errors = this.#client.ioAndWait(this.#request(op, flags, sector, bytes), task);
    return isPending(errors) ? errors.then(statusOf) : statusOf(errors);
  }

  #request(op: BioOp, flags: number, sector: Sectors, bytes: Uint8Array): IoRequest {
    const sectors = bytes.length / SECTOR_BYTES;
    const regions = [{ device: this.#device, sector, sectors }];
    const memory = [{ page: { bytes, frame: 0 }, offset: 0, length: bytes.length }];
    return { op, flags, regions, memory };
  }
}

/** Counts the ends of several reads. */
class EndOfReads implements IoListener {
  readonly #end: Completion;
  #left: number;
  #errorBits = 0n;

  constructor(count: number, { scheduler }: Task) {
    this.#left = count;
    this.#end = new Completion("end of reads of a store", { scheduler });
  }

  ioEnded(errorBits: bigint): void {
    this.#errorBits |= errorBits;
    this.#left -= 1;
    if (this.#left === 0) this.#end.complete();
  }

  async wait(task: Task): Promise<BioStatus> {
    if (this.#left > 0) await this.#end.wait(task);
    return statusOf(this.#errorBits);
  }
}

function statusOf(errorBits: bigint): BioStatus {
  return errorBits === 0n ? BioStatus.Ok : BioStatus.IoError;
}
