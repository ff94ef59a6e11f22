import { ExploredTask } from "../actor.ts";
import type { WaitForGraph } from "../wait-for-graph.ts";

/** Who waits for whom at the end of a run, as plain data. */
export interface WaitGraph {
  readonly nodes: readonly WaitGraphNode[];
  readonly edges: readonly WaitGraphEdge[];
}

/** A task, or what tasks wait for. */
export interface WaitGraphNode {
  readonly id: string;
  readonly kind: "task" | "thing";
  readonly name: string;
  /** What it waits for or where it is; may be empty. */
  readonly state: string;
}

/** `from` goes on only when `to` does, or another one that it has an edge to. */
export interface WaitGraphEdge {
  readonly from: string;
  readonly to: string;
  /** Whether it is part of the circle. */
  readonly isInKnot: boolean;
}

/** The part of a graph that people can look at. */
export function waitGraphOf(graph: WaitForGraph): WaitGraph {
  const all = [...graph.nodes];
  const ids = new Map(all.map((node, index) => [node, `n${String(index)}`]));
  const knot = graph.knot() ?? [];
  const edges = all.flatMap((node) =>
    node.next.map((next) => ({
      from: ids.get(node) ?? "",
      to: ids.get(next) ?? "",
      isInKnot: knot.some((each, index) => each === node && knot[index + 1] === next),
    })),
  );
  const nodes = all.map((node) => ({
    id: ids.get(node) ?? "",
    kind: node.thing instanceof ExploredTask ? ("task" as const) : ("thing" as const),
    name: node.name,
    state: node.state,
  }));
  return { nodes, edges };
}
