import { explore, type Scenario } from "@blkstack/explorer";
import { COLUMNS as MEMORY_COLUMNS } from "../cache-on-loop/columns.ts";
import { GENERATIONS } from "../cache-on-loop/generations.ts";
import { cacheOnLoop } from "../cache-on-loop/index.ts";
import { COLUMNS } from "../dm/columns.ts";
import { extraLevel } from "../extra-level/index.ts";
import { linearAndSnapshot, linearAndSnapshotWithMutex } from "../linear-and-snapshot/index.ts";
import { PIECES, remainderChain } from "../remainder-chain/index.ts";
import { rescuerFifo } from "../rescuer-fifo/index.ts";
import { sameSnapshot } from "../same-snapshot/index.ts";
import { snapshotAndLinear } from "../snapshot-and-linear/index.ts";

/** One cell of the table of verdicts. */
export interface Verdict {
  /** As the table names its rows. */
  readonly scenario: string;
  /** As the table heads its columns. */
  readonly column: string;
  /** Whether some schedule comes to a deadlock. */
  readonly verdict: "deadlock" | "none";
  /** Runs until it was found, or all of them. */
  readonly executions: number;
  /**
   * Whether the verdict is certain: a deadlock that is there, or a schedule of every class, so that
   * there is none.
   */
  readonly complete: boolean;
}

/** What one cell is computed from. */
export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly scenario: Scenario;
  readonly variant: string;
}

const ROWS: readonly (readonly [row: string, scenario: Scenario])[] = [
  ["D1", sameSnapshot],
  ["D2 (i)", linearAndSnapshot],
  ["D2 (ii)", linearAndSnapshotWithMutex],
  ["D2 mirrored", snapshotAndLinear],
  ["D6", extraLevel],
  ["D3", rescuerFifo],
];

const SPLITTING = [
  ["front-clone/none", "front-clone"],
  ["remainder-clone/none", "remainder-clone"],
] as const;

/** The tables: how splitting and waiting went together over the years, and how caches gave memory back. */
export const CELLS: readonly Cell[] = [
  ...ROWS.flatMap(([row, scenario]) =>
    Object.entries(COLUMNS).map(([variant, { name }]) => ({
      row,
      column: name,
      scenario,
      variant,
    })),
  ),
  ...PIECES.flatMap((pieces) =>
    SPLITTING.map(([column, policy]) => ({
      row: `D5 n=${String(pieces)}`,
      column,
      scenario: remainderChain,
      variant: `${policy}-${String(pieces)}`,
    })),
  ),
  ...Object.entries(GENERATIONS).flatMap(([generation, { name: row }]) =>
    Object.entries(MEMORY_COLUMNS).map(([who, { name: column }]) => ({
      row,
      column,
      scenario: cacheOnLoop,
      variant: `${generation}-${who}`,
    })),
  ),
];

/** Whether a variant is a cell of the table. */
export function isCell(scenario: Scenario, variant: string): boolean {
  return CELLS.some((cell) => cell.scenario === scenario && cell.variant === variant);
}

/** Explores what a cell stands for. Throws when it ends otherwise than well or in a deadlock. */
export async function verdictOf({ row, column, scenario, variant }: Cell): Promise<Verdict> {
  const report = await explore(scenario, variant, { after: "first" });
  const isDeadlock = report.kind === "DEADLOCK";
  if (!isDeadlock && report.verdict !== "proved") {
    throw new Error(`${row}, ${column}: neither proved nor a deadlock\n${report.story}`);
  }
  return {
    scenario: row,
    column,
    verdict: isDeadlock ? "deadlock" : "none",
    executions: report.runs,
    complete: isDeadlock || report.isComplete,
  };
}
