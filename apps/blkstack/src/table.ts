import Table from "cli-table3";
import pc from "picocolors";
import { type TextOutput } from "./cli-io.ts";

/** A table for people: columns of plain text, the first row in bold on a terminal. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  output: TextOutput,
): string {
  const { bold } = coloursFor(output);
  const table = new Table({
    head: head.map((text) => bold(text)),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: NO_BORDERS,
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Colours if somebody is there to see them. */
export function coloursFor(output: TextOutput): ReturnType<typeof pc.createColors> {
  return pc.createColors(output.isTTY === true && pc.isColorSupported);
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
