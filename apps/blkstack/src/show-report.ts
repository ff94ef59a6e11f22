import { type Report, toDot, toLanes, toMermaid } from "@blkstack/explorer";
import { type Command, Option } from "commander";

/** How a failing run is shown. */
export interface ShowFlags {
  readonly graph?: "mermaid" | "dot";
  readonly lanes?: boolean;
  readonly full?: boolean;
}

/** Adds the options of which one says what is shown of a failing run. */
export function withShowOptions(command: Command, conflicts: readonly string[] = []): Command {
  const graph = new Option(
    "--graph <format>",
    "prints who waits for whom instead of the story",
  ).choices(["mermaid", "dot"]);
  const lanes = new Option("--lanes", "prints the steps side by side, a column for each task");
  const full = new Option("--full", "tells also the steps that do not matter for the failure");
  return command
    .addOption(graph.conflicts([...conflicts, "lanes", "full"]))
    .addOption(lanes.conflicts([...conflicts, "full"]))
    .addOption(full.conflicts([...conflicts]));
}

/** What was asked for of a report; where there is nothing of the kind, its story. */
export function shown({ waits, trace, story }: Report, { graph, lanes }: ShowFlags): string {
  if (lanes === true && trace !== null) return toLanes(trace);
  if (graph === undefined || waits === null) return story;
  return graph === "dot" ? toDot(waits) : toMermaid(waits);
}

export function isShownOtherwise({ graph, lanes }: ShowFlags): boolean {
  return graph !== undefined || lanes === true;
}
