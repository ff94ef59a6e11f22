import type { WaitGraph, WaitGraphNode } from "./wait-graph.ts";

/** A wait-for graph for Graphviz: tasks are round, the circle is drawn bold. */
export function toDot({ nodes, edges }: WaitGraph): string {
  const lines = ["digraph waits {", "  rankdir=LR;"];
  for (const node of nodes) {
    const shape = node.kind === "task" ? "ellipse" : "box";
    lines.push(`  ${node.id} [shape=${shape}, label="${label(node)}"];`);
  }
  for (const { from, to, isInKnot } of edges) {
    lines.push(`  ${from} -> ${to}${isInKnot ? " [style=bold]" : ""};`);
  }
  return [...lines, "}"].join("\n");
}

function label({ name, state }: WaitGraphNode): string {
  const texts = state === "" ? [name] : [name, state];
  return texts.map((text) => text.replaceAll(/["\\]/g, "\\$&")).join("\\n");
}
