import type { RowGroup } from "./row.ts";

/** What became of the rows that a server was asked. */
export interface Column {
  /** The make and its version. */
  readonly title: string;
  /** By row; null where it passes. */
  readonly complaints: ReadonlyMap<string, string | null>;
}

/** A table for each group, one of the totals, and why whoever fails does. */
export function formatTable(groups: readonly RowGroup[], columns: readonly Column[]): string {
  const rows = groups.flatMap((group) => group.rows);
  const saysWidth = Math.max(...rows.map(({ says }) => says.length));
  const line = (id: string, says: string, cells: readonly string[]): string => {
    const padded = cells.map((cell, index) => cell.padEnd(columns[index]?.title.length ?? 0));
    return `| ${[id.padEnd(5), says.padEnd(saysWidth), ...padded].join(" | ")} |\n`;
  };
  const head = (what: string): string =>
    line(
      "row",
      what,
      columns.map(({ title }) => title),
    ) +
    line(
      "-----",
      "-".repeat(saysWidth),
      columns.map(({ title }) => "-".repeat(title.length)),
    );
  const tables = groups.map((group) => {
    const lines = group.rows.map(({ id, says }) =>
      line(
        id,
        says,
        columns.map(({ complaints }) => cellOf(complaints.get(id))),
      ),
    );
    return `${head(group.title)}${lines.join("")}\n`;
  });
  const totals = line("all", `${String(rows.length)} rows`, columns.map(totalOf));
  return `${tables.join("")}${head("Together")}${totals}${reasons(columns)}`;
}

function cellOf(complaint: string | null | undefined): string {
  if (complaint === undefined) return "–";
  return complaint === null ? "passes" : "FAILS";
}

function totalOf({ complaints }: Column): string {
  const passed = [...complaints.values()].filter((complaint) => complaint === null);
  return `${String(passed.length)} of ${String(complaints.size)}`;
}

function reasons(columns: readonly Column[]): string {
  const lines = columns.flatMap(({ title, complaints }) => {
    return [...complaints].flatMap(([id, why]) => (why === null ? [] : [`${title} ${id}: ${why}`]));
  });
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}
