import type { WatchedLock } from "@blkstack/task";

/** What a node of the order of locks stands for. */
export const NodeKind = {
  Lock: 0,
  /** An interrupt's handler. */
  Interrupt: 1,
  /** The freeing of other people's memory. */
  Reclaim: 2,
  /** The way of a bio down through the drivers. */
  Submission: 3,
  /** An element of a pool, or the end of a bio: what a parked bio keeps back. */
  ParkedBio: 4,
} as const;
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind];

/** Labels above this number are taken for their class: the keys of edges must stay small numbers. */
export const NODES_MAX = 4096;

/**
 * The locks seen in a search, as small numbers. A lock is made anew in each run, so it is known by
 * its label; a class is what the labels of several have in common.
 */
export class LockNodes {
  readonly labels: string[] = [];
  readonly kinds: NodeKind[] = [];
  /** Of each node, the number of its class. */
  readonly classes: number[] = [];
  readonly classNames: string[] = [];
  readonly #byLabel = new Map<string, number>();
  readonly #byClass = new Map<string, number>();

  of(lock: WatchedLock): number {
    return this.#byLabel.get(lock.label) ?? this.#add(lock.label, lock.lockClass, NodeKind.Lock);
  }

  /** What is no lock, but held and waited for like one; each is a class of its own. */
  special(label: string, kind: NodeKind): number {
    return this.#byLabel.get(label) ?? this.#add(label, label, kind);
  }

  kindOf(node: number): NodeKind {
    return this.kinds[node] ?? NodeKind.Lock;
  }

  labelOf(node: number): string {
    return this.labels[node] ?? "";
  }

  classOf(node: number): number {
    return this.classes[node] ?? 0;
  }

  /** -1: not seen. */
  classOfLabel(label: string): number {
    const node = this.#byLabel.get(label);
    return node === undefined ? -1 : this.classOf(node);
  }

  /** All that the class was seen as. */
  labelsOfClass(lockClass: number): readonly string[] {
    return this.labels.filter((_, node) => this.classes[node] === lockClass);
  }

  #add(label: string, lockClass: string | null, kind: NodeKind): number {
    const className = lockClass ?? classNameOf(label);
    if (this.labels.length >= NODES_MAX - 1 && label !== className) {
      return this.#byLabel.get(className) ?? this.#add(className, className, kind);
    }
    let known = this.#byClass.get(className);
    if (known === undefined) {
      known = this.classNames.push(className) - 1;
      this.#byClass.set(className, known);
    }
    const node = this.labels.push(label) - 1;
    this.kinds.push(kind);
    this.classes.push(known);
    this.#byLabel.set(label, node);
    return node;
  }
}

/** `mutex "fork"` of `mutex "fork-3"`: a label without the numbers that tell instances apart. */
function classNameOf(label: string): string {
  return label.replaceAll(/[-#._ ]?\d+/g, "");
}
