import type { Verdict } from "./matrix.ts";

/**
 * The verdicts as text: a row for each scenario, and for those with the same columns one head.
 * `X 21`: a deadlock, found in run 21. `· 126`: none, in any of 126 runs, which stand for all.
 */
export function tableOf(matrix: readonly Verdict[]): string {
  const rows = new Map<string, Verdict[]>();
  for (const verdict of matrix) {
    const row = rows.get(verdict.scenario) ?? [];
    row.push(verdict);
    rows.set(verdict.scenario, row);
  }
  const lines: string[][] = [];
  let head = "";
  for (const [scenario, row] of rows) {
    const columns = row.map(({ column }) => column);
    if (columns.join("|") !== head) lines.push(["", ...columns]);
    head = columns.join("|");
    lines.push([scenario, ...row.map(textOf)]);
  }
  const widths: number[] = [];
  for (const line of lines) {
    for (const [index, text] of line.entries()) {
      widths[index] = Math.max(text.length, widths[index] ?? 0);
    }
  }
  const legend =
    "X: a deadlock, and the run that it was found in; ·: none, and how many runs prove it";
  return [...lines.map((line) => aligned(line, widths)), legend].join("\n");
}

function textOf({ verdict, executions, complete }: Verdict): string {
  const runs = String(executions);
  if (verdict === "deadlock") return `X ${runs}`;
  return complete ? `· ${runs}` : `· ${runs}, not all`;
}

function aligned(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((text, index) => text.padEnd(widths[index] ?? 0))
    .join("  ")
    .trimEnd();
}
