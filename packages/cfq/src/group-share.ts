import { invariant } from "@blkstack/bio";
import type { ClientQueue } from "./client-queue.ts";
import type { TreeNode } from "./service-tree.ts";
import type { Jiffies } from "./timing.ts";
import type { VirtualTime } from "./virtual-time.ts";
import { WEIGHT_DEFAULT } from "./weight.ts";

/** What one group has of a disk: its weight, how far it has got, and who of it wants to be served. */
export class GroupShare implements TreeNode {
  vdisktime: VirtualTime = 0n;
  arrival = 0;
  height = 0;
  left: TreeNode | null = null;
  right: TreeNode | null = null;
  /** By which it is served now; counted in the total as long as it is on the tree. */
  weight: number = WEIGHT_DEFAULT;
  /** By which it is to be served from the next time on that it goes on the tree. */
  nextWeight: number = WEIGHT_DEFAULT;
  isOnTree = false;
  /** Queues that have bios, or are being served. */
  busyQueues = 0;
  busySyncQueues = 0;
  /** Time that it was charged. */
  served: Jiffies = 0;
  /** Bios that wait. */
  queued = 0;
  /** Times that it ran out of bios. */
  dequeues = 0;
  /** Busy queues that are not being served, in their order. */
  #first: ClientQueue | null = null;
  #last: ClientQueue | null = null;

  /** As new. */
  reset(weight: number): void {
    this.assertIdle();
    this.vdisktime = 0n;
    this.weight = weight;
    this.nextWeight = weight;
    this.served = 0;
    this.dequeues = 0;
  }

  /** Nothing of it may be left anywhere when it goes. */
  assertIdle(): void {
    invariant(
      !this.isOnTree && this.busyQueues === 0 && this.queued === 0 && this.#first === null,
      "a group goes that still has bios",
    );
  }

  /** Behind the others. */
  addQueue(queue: ClientQueue): void {
    queue.nextInGroup = null;
    if (this.#last === null) this.#first = queue;
    else this.#last.nextInGroup = queue;
    this.#last = queue;
  }

  takeQueue(): ClientQueue | null {
    const queue = this.#first;
    if (queue === null) return null;
    this.#first = queue.nextInGroup;
    if (this.#first === null) this.#last = null;
    queue.nextInGroup = null;
    return queue;
  }
}
