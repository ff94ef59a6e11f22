import type { WaitGraph, WaitGraphNode } from "./wait-graph.ts";

/** A wait-for graph for Mermaid, as in Markdown: tasks are round, the circle is drawn thick. */
export function toMermaid({ nodes, edges }: WaitGraph): string {
  const lines = ["flowchart LR"];
  for (const node of nodes) {
    const text = `"${escape(label(node))}"`;
    lines.push(`  ${node.id}${node.kind === "task" ? `([${text}])` : `[${text}]`}`);
  }
  for (const { from, to, isInKnot } of edges) {
    lines.push(`  ${from} ${isInKnot ? "==>" : "-->"} ${to}`);
  }
  return lines.join("\n");
}

function label({ name, state }: WaitGraphNode): string {
  return state === "" ? name : `${name}<br>${state}`;
}

/** Inside quotes Mermaid knows entities, with a hash where HTML has an ampersand. */
function escape(text: string): string {
  return text.replaceAll("#", "#35;").replaceAll('"', "#quot;");
}
