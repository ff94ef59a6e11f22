import { type LockNodes, NODES_MAX } from "./lock-nodes.ts";

/** Places kept of one edge: enough to name a task for each part of a circle. */
const PLACES_MAX = 4;

/** Where one lock was asked for while another was held. */
export interface Place {
  readonly actor: string;
  /** What the actor was about to do. */
  readonly step: string;
  /** The run of the search, from 1. */
  readonly run: number;
}

/** A lock held over the acquisition of another. */
export interface Guard {
  readonly node: number;
  readonly isShared: boolean;
}

/** While `from` was held, somebody was ready to wait for `to`. */
export class OrderEdge {
  readonly from: number;
  readonly to: number;
  readonly isHeldShared: boolean;
  readonly isWantedShared: boolean;
  readonly places: Place[] = [];
  /** What else was held, each time. */
  #guards: readonly Guard[];
  /** By the numbers of tasks, of which it is only asked which are new. */
  #seenTasks = 0;

  constructor(from: number, to: number, modes: number, guards: readonly Guard[]) {
    this.from = from;
    this.to = to;
    this.isHeldShared = (modes & 2) !== 0;
    this.isWantedShared = (modes & 1) !== 0;
    this.#guards = guards;
  }

  get guards(): readonly Guard[] {
    return this.#guards;
  }

  /** Only what was held each time keeps two tasks apart. */
  keepGuards(now: readonly Guard[]): void {
    this.#guards = this.#guards.filter((guard) =>
      now.some(({ node, isShared }) => node === guard.node && isShared === guard.isShared),
    );
  }

  /** Whether the task with this number can still add something. */
  mayLearnFrom(taskId: number): boolean {
    return this.#guards.length > 0 || (this.#seenTasks & (1 << (taskId & 31))) === 0;
  }

  seen(taskId: number, place: Place): void {
    this.#seenTasks |= 1 << (taskId & 31);
    if (this.places.length >= PLACES_MAX) return;
    if (this.places.some(({ actor }) => actor === place.actor)) return;
    this.places.push(place);
  }
}

/** That somebody holding `from` was ready to wait for `to`. */
export interface Seen {
  readonly from: number;
  readonly to: number;
  /** An or of 2, when `from` is held shared, and 1, when `to` is wanted shared. */
  readonly modes: number;
  readonly taskId: number;
}

/** Which lock was held while which was asked for, over all runs of a search. */
export class LockOrder {
  readonly nodes: LockNodes;
  readonly #edges = new Map<number, OrderEdge>();
  /** Nodes that somebody was ready to wait for alone, which makes readers wait for readers. */
  readonly #writtenClasses = new Set<number>();

  constructor(nodes: LockNodes) {
    this.nodes = nodes;
  }

  get size(): number {
    return this.#edges.size;
  }

  edges(): OrderEdge[] {
    return [...this.#edges.values()];
  }

  /** Whether the task with this number can add something to what is known. */
  mayLearn(from: number, to: number, modes: number, taskId: number): boolean {
    return this.#edges.get(keyOf(from, to, modes))?.mayLearnFrom(taskId) ?? true;
  }

  see({ from, to, modes, taskId }: Seen, guards: readonly Guard[], place: Place): void {
    const key = keyOf(from, to, modes);
    const known = this.#edges.get(key);
    const edge = known ?? new OrderEdge(from, to, modes, guards);
    if (known === undefined) this.#edges.set(key, edge);
    else edge.keepGuards(guards);
    edge.seen(taskId, place);
  }

  wrote(node: number): void {
    this.#writtenClasses.add(this.nodes.classOf(node));
  }

  /**
   * Whether who wants what `first` leads to can be kept waiting by who holds what `second` begins
   * with. Two readers do not wait for each other, unless a writer may have come between them.
   */
  collide(first: OrderEdge, second: OrderEdge): boolean {
    if (!first.isWantedShared || !second.isHeldShared) return true;
    return this.#writtenClasses.has(this.nodes.classOf(second.from));
  }
}

function keyOf(from: number, to: number, modes: number): number {
  return (from * NODES_MAX + to) * 4 + modes;
}
