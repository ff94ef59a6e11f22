import type { Bio, Sectors } from "@blkstack/bio";
import { type BlockDevice, RequestQueue } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import { ClientQueue } from "./client-queue.ts";
import { PRIORITY_DEFAULT } from "./timing.ts";

export interface CfqClientOptions {
  /** What the device is called that the client submits to. */
  readonly name: string;
  /** Whose share it uses; unless told the root group, which always is. */
  readonly group?: string;
  /** How long it is served at a time within its group: from 0, longest, to 7; 4 unless told. */
  readonly priority?: number;
  /**
   * Whether nobody waits for writes that are not marked SYNC, as for those of a page cache. They go
   * to the one queue that such writes of all clients share, in the root group. Default: false.
   */
  readonly hasAsyncWrites?: boolean;
}

/** What a client asks of the queue that it belongs to. */
export interface ClientHost {
  readonly device: BlockDevice;
  submit(bio: Bio, client: CfqClient, task: Task): Awaitable<void>;
  closeClient(client: CfqClient, task: Task): Promise<void>;
}

/** A disk as one client sees it, who shares it with the others of its group, and with other groups. */
export class CfqClient implements BlockDevice {
  readonly name: string;
  readonly queue: RequestQueue;
  /** The name of its group; null: the root. */
  readonly group: string | null;
  readonly hasAsyncWrites: boolean;
  /** Where its bios wait. */
  readonly bios: ClientQueue;
  readonly #host: ClientHost;

  /** Made by `CfqQueue.openClient`. */
  constructor(host: ClientHost, options: CfqClientOptions) {
    const { name, group, priority = PRIORITY_DEFAULT, hasAsyncWrites = false } = options;
    this.name = name;
    this.group = group ?? null;
    this.hasAsyncWrites = hasAsyncWrites;
    this.queue = new RequestQueue(name, host.device.queue.limits);
    this.bios = new ClientQueue(name, true, priority, null);
    this.#host = host;
  }

  get sizeSectors(): Sectors {
    return this.#host.device.sizeSectors;
  }

  get isReadOnly(): boolean {
    return this.#host.device.isReadOnly;
  }

  /** Waits: as the device below must, for a bio that need not wait for its turn. */
  submitBio(bio: Bio, task: Task): Awaitable<void> {
    return this.#host.submit(bio, this, task);
  }

  /** The device goes away; further bios are refused. Waits: for those that wait or are under way. */
  close(task: Task): Promise<void> {
    return this.#host.closeClient(this, task);
  }
}
