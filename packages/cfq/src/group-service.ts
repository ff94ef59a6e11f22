import { invariant } from "@blkstack/bio";
import type { GroupShare } from "./group-share.ts";
import { ServiceTree } from "./service-tree.ts";
import type { Jiffies } from "./timing.ts";
import { laterOf, plus, type VirtualTime, virtualTimeOf } from "./virtual-time.ts";

/**
 * Who is next: the group that has got least far in virtual time. A group that comes is put behind
 * all others, so that nobody saves up time by staying away.
 */
export class GroupService {
  readonly #tree: ServiceTree<GroupShare> = new ServiceTree<GroupShare>();
  /** How far behind the last one a group begins that comes. */
  readonly #behindLast: VirtualTime;
  #minVdisktime: VirtualTime;
  #totalWeight = 0;

  /** `start`: the virtual time at the beginning. */
  constructor(behindLast: Jiffies, start: VirtualTime = 0n) {
    this.#behindLast = BigInt(behindLast);
    this.#minVdisktime = start;
  }

  /** Of the groups that want to be served. */
  get totalWeight(): number {
    return this.#totalWeight;
  }

  /** No group is further behind; never goes back. */
  get minVdisktime(): VirtualTime {
    return this.#minVdisktime;
  }

  get isEmpty(): boolean {
    return this.#tree.isEmpty;
  }

  /** Those that want to be served, first to last. */
  get groups(): Iterable<GroupShare> {
    return this.#tree;
  }

  /** One more queue of the group is busy. */
  activate(group: GroupShare, isSync: boolean): void {
    group.busyQueues += 1;
    if (isSync) group.busySyncQueues += 1;
    if (group.isOnTree) return;
    const { last } = this.#tree;
    group.vdisktime = last === null ? this.#minVdisktime : plus(last.vdisktime, this.#behindLast);
    this.#insert(group);
  }

  /** One queue of the group is busy no more. */
  deactivate(group: GroupShare, isSync: boolean): void {
    invariant(group.busyQueues > 0, "a group has fewer than no busy queues");
    group.busyQueues -= 1;
    if (isSync) group.busySyncQueues -= 1;
    if (group.busyQueues > 0) return;
    this.#remove(group);
    group.dequeues += 1;
  }

  /** The next one; null if nobody wants to be served. */
  select(): GroupShare | null {
    const { first } = this.#tree;
    if (first !== null) this.#minVdisktime = laterOf(this.#minVdisktime, first.vdisktime);
    return first;
  }

  /** The group was served for so long, at least one tick. */
  charge(group: GroupShare, served: Jiffies): void {
    invariant(served >= 1, "a group was served for nothing");
    group.served += served;
    const { isOnTree } = group;
    const cost = virtualTimeOf(served, group.weight);
    // The time must not change while the tree is ordered by it.
    if (isOnTree) this.#remove(group);
    group.vdisktime = plus(group.vdisktime, cost);
    if (isOnTree) this.#insert(group);
  }

  #insert(group: GroupShare): void {
    group.weight = group.nextWeight;
    this.#totalWeight += group.weight;
    this.#tree.insert(group);
    group.isOnTree = true;
  }

  #remove(group: GroupShare): void {
    this.#tree.remove(group);
    this.#totalWeight -= group.weight;
    group.isOnTree = false;
  }
}
