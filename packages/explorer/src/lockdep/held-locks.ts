import { LockMode, type WatchedLock } from "@blkstack/task";
import type { LockNodes } from "./lock-nodes.ts";
import type { Guard } from "./lock-order.ts";

/** What one task, or the interrupt that runs, holds or waits for, in the order of asking. */
export class HeldLocks {
  /** Only the first `count` of these mean anything: arrays that grow and shrink cost more. */
  readonly #locks: WatchedLock[] = [];
  readonly #modes: LockMode[] = [];
  /** Where a lock has been looked up; -1: not yet, for most are never held over another. */
  readonly #nodes: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  push(lock: WatchedLock, mode: LockMode): void {
    const index = this.#count;
    this.#locks[index] = lock;
    this.#modes[index] = mode;
    this.#nodes[index] = -1;
    this.#count = index + 1;
  }

  remove(lock: WatchedLock): void {
    let index = this.#count - 1;
    while (index >= 0 && this.#locks[index] !== lock) index -= 1;
    if (index < 0) return;
    this.#count -= 1;
    if (index === this.#count) return;
    this.#locks.copyWithin(index, index + 1, this.#count + 1);
    this.#modes.copyWithin(index, index + 1, this.#count + 1);
    this.#nodes.copyWithin(index, index + 1, this.#count + 1);
  }

  isLock(index: number, lock: WatchedLock): boolean {
    return this.#locks[index] === lock;
  }

  isShared(index: number): boolean {
    return ((this.#modes[index] ?? 0) & LockMode.Shared) !== 0;
  }

  node(index: number, nodes: LockNodes): number {
    const known = this.#nodes[index] ?? -1;
    if (known >= 0) return known;
    const lock = this.#locks[index];
    const node = lock === undefined ? 0 : nodes.of(lock);
    this.#nodes[index] = node;
    return node;
  }

  /** All but the one at `index`. */
  guards(index: number, nodes: LockNodes): Guard[] {
    const guards: Guard[] = [];
    for (let other = 0; other < this.count; other += 1) {
      if (other === index) continue;
      guards.push({ node: this.node(other, nodes), isShared: this.isShared(other) });
    }
    return guards;
  }

  holdsClass(lockClass: number, nodes: LockNodes): boolean {
    for (let index = 0; index < this.count; index += 1) {
      if (nodes.classOf(this.node(index, nodes)) === lockClass) return true;
    }
    return false;
  }

  holdsNode(node: number, nodes: LockNodes): boolean {
    for (let index = 0; index < this.count; index += 1) {
      if (this.node(index, nodes) === node) return true;
    }
    return false;
  }
}
