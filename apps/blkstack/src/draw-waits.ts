import { type Report, toDot, toMermaid } from "@blkstack/explorer";
import { Option } from "commander";

export type GraphFormat = "mermaid" | "dot";

export function graphOption(): Option {
  const what = "prints who waits for whom instead of the story";
  return new Option("--graph <format>", what).choices(["mermaid", "dot"]);
}

/** The wait-for graph of a report; without one, as there is nobody who is stuck, its story. */
export function drawWaits({ waits, story }: Report, format: GraphFormat): string {
  if (waits === null) return story;
  return format === "dot" ? toDot(waits) : toMermaid(waits);
}
