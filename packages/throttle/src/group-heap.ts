import type { ThrottleGroup } from "./throttle-group.ts";

/** Groups with bios that wait: the one whose bio may go first is first, of equals the earlier. */
export class GroupHeap {
  readonly #groups: ThrottleGroup[] = [];
  #orders = 0;

  get first(): ThrottleGroup | undefined {
    return this.#groups[0];
  }

  /** From first to last. */
  inOrder(): ThrottleGroup[] {
    return this.#groups.toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
  }

  /** Puts a group where its `dispatchMs` says, behind those of the same time. */
  place(group: ThrottleGroup): void {
    this.remove(group);
    this.#orders += 1;
    group.heapOrder = this.#orders;
    group.heapIndex = this.#groups.length;
    this.#groups.push(group);
    this.#rise(group);
  }

  remove(group: ThrottleGroup): void {
    const { heapIndex } = group;
    if (heapIndex < 0) return;
    group.heapIndex = -1;
    const last = this.#groups.pop();
    if (last === undefined || last === group) return;
    this.#set(last, heapIndex);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(group: ThrottleGroup): void {
    while (group.heapIndex > 0) {
      const above = this.#groups[(group.heapIndex - 1) >> 1];
      if (above === undefined || isBefore(above, group)) return;
      this.#swap(above, group);
    }
  }

  #sink(group: ThrottleGroup): void {
    for (;;) {
      const left = this.#groups[2 * group.heapIndex + 1];
      const right = this.#groups[2 * group.heapIndex + 2];
      const least =
        left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (least === undefined || isBefore(group, least)) return;
      this.#swap(group, least);
    }
  }

  #swap(above: ThrottleGroup, below: ThrottleGroup): void {
    const index = above.heapIndex;
    this.#set(above, below.heapIndex);
    this.#set(below, index);
  }

  #set(group: ThrottleGroup, index: number): void {
    this.#groups[index] = group;
    group.heapIndex = index;
  }
}

function isBefore(one: ThrottleGroup, other: ThrottleGroup): boolean {
  if (one.dispatchMs !== other.dispatchMs) return one.dispatchMs < other.dispatchMs;
  return one.heapOrder < other.heapOrder;
}
