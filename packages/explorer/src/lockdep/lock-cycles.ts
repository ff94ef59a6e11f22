import { type LockNodes, NodeKind } from "./lock-nodes.ts";
import type { LockOrder, OrderEdge } from "./lock-order.ts";

/** Edges each of which leads to where the next begins, and the last to where the first does. */
export interface LockCycle {
  readonly edges: readonly OrderEdge[];
  /** Equal for circles through the same classes, or within a class through the same locks. */
  readonly key: string;
  /** Two of its tasks cannot be where they would have to be, for both hold this; null: nothing. */
  readonly guard: string | null;
}

/** A search of more would take longer than it is worth. */
const EDGES_MAX = 2_000;

/**
 * The shortest circle through each edge, once for each set of classes. A circle of several classes
 * is one of classes: which of their locks they were makes no difference, for the rule is the
 * class's. Within one class only the labels tell an order from a disorder.
 */
export function findCycles(order: LockOrder): readonly LockCycle[] {
  const { nodes } = order;
  const edges = order.edges().slice(0, EDGES_MAX);
  // What has no guard first, so that it is preferred.
  edges.sort((a, b) => a.guards.length - b.guards.length);
  const found = new Map<string, LockCycle>();
  for (const start of edges) {
    const path = shortestWayRound(start, edges, order);
    if (path === null) continue;
    const key = keyOf(path, nodes);
    const known = found.get(key);
    if (known !== undefined && (known.guard === null || known.edges.length < path.length)) continue;
    const guard = guardOf(path, nodes);
    if (known === undefined || guard === null) found.set(key, { edges: path, key, guard });
  }
  return [...found.values()];
}

function shortestWayRound(
  start: OrderEdge,
  edges: readonly OrderEdge[],
  order: LockOrder,
): readonly OrderEdge[] | null {
  const cameFrom = new Map<OrderEdge, OrderEdge | null>([[start, null]]);
  const isWithinClass = staysInClass(start, order.nodes);
  for (const edge of cameFrom.keys()) {
    if (follows(edge, start, order)) return pathTo(edge, cameFrom);
    for (const next of edges) {
      if (cameFrom.has(next) || staysInClass(next, order.nodes) !== isWithinClass) continue;
      if (follows(edge, next, order)) cameFrom.set(next, edge);
    }
  }
  return null;
}

function pathTo(
  last: OrderEdge,
  cameFrom: ReadonlyMap<OrderEdge, OrderEdge | null>,
): readonly OrderEdge[] {
  const path: OrderEdge[] = [];
  for (let at: OrderEdge | null = last; at !== null; at = cameFrom.get(at) ?? null) path.push(at);
  return path.reverse();
}

function staysInClass({ from, to }: OrderEdge, nodes: LockNodes): boolean {
  return nodes.classOf(from) === nodes.classOf(to);
}

function follows(first: OrderEdge, second: OrderEdge, order: LockOrder): boolean {
  const { nodes } = order;
  const isSame = staysInClass(first, nodes)
    ? first.to === second.from
    : nodes.classOf(first.to) === nodes.classOf(second.from);
  return isSame && order.collide(first, second);
}

function keyOf(path: readonly OrderEdge[], nodes: LockNodes): string {
  const isWithinClass = path.every((edge) => staysInClass(edge, nodes));
  const names = path.map(({ from }) => {
    // However far it may go, it is one mistake.
    if (nodes.kindOf(from) === NodeKind.Reclaim) return "reclaim";
    return isWithinClass ? nodes.labelOf(from) : (nodes.classNames[nodes.classOf(from)] ?? "");
  });
  return names.sort().join(" -> ");
}

/** What two of the tasks of a circle would have to hold at once, and cannot. */
function guardOf(path: readonly OrderEdge[], nodes: LockNodes): string | null {
  for (const [index, edge] of path.entries()) {
    for (const other of path.slice(index + 1)) {
      const shared = edge.guards.find((guard) =>
        other.guards.some(
          ({ node, isShared }) => node === guard.node && !(isShared && guard.isShared),
        ),
      );
      if (shared !== undefined) return nodes.labelOf(shared.node);
    }
  }
  return null;
}
