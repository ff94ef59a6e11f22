import { explore } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { CELLS, type Verdict, verdictOf } from "./matrix.ts";
import { tableOf } from "./table.ts";

const SLOW_MS = 240_000;

/** Deadlock or none, from left to right as the columns stand. */
const EXPECTED: Readonly<Record<string, string>> = {
  D1: "X······",
  "D2 (i)": "XX·····",
  "D2 (ii)": "XX·····",
  "D2 mirrored": "·······",
  D6: "XX···X·",
  D3: `${"X".repeat(3)}····`,
  "D5 n=2": "··",
  "D5 n=3": "··",
  "D5 n=4": "·X",
  "D5 n=5": "·X",
  "D5 n=6": "·X",
  "io-flag": "X·X·XX",
  "io-flag + joined scopes": "··X··X",
  "fs-flag": "··X··X",
  "fs-flag, lock-always mutant": "··XXXX",
  "trylock-always": "······",
  workqueue: "······",
};

const HEAD = [
  "loop/none",
  "loop/list0",
  "loop/both",
  "front-clone/none",
  "front-clone/list0",
  "front-clone, fifo",
  "loop/none, unlocked",
];

describe("the table of verdicts", () => {
  it("has the rows and columns that are known", () => {
    expect([...new Set(CELLS.map(({ row }) => row))]).toEqual(Object.keys(EXPECTED));
    const columns = CELLS.filter(({ row }) => row === "D1").map(({ column }) => column);
    expect(columns).toEqual(HEAD);
  });

  it.each(Object.entries(EXPECTED))("%s: %s", { timeout: SLOW_MS }, async (row, expected) => {
    const verdicts: Verdict[] = [];
    for (const cell of CELLS) if (cell.row === row) verdicts.push(await verdictOf(cell));
    expect(verdicts.map(({ verdict }) => (verdict === "deadlock" ? "X" : "·")).join("")).toBe(
      expected,
    );
    expect(verdicts.every(({ complete }) => complete)).toBe(true);
  });

  it("is what the variants are said to come to", () => {
    for (const { row, column, scenario, variant } of CELLS) {
      const known = EXPECTED[row] ?? "";
      const index = CELLS.filter((cell) => cell.row === row).findIndex(
        (cell) => cell.column === column,
      );
      const kind = known[index] === "X" ? "DEADLOCK" : "ok";
      expect([row, column, scenario.variants[variant]?.expect]).toEqual([row, column, kind]);
    }
  });

  it("reads as a table", () => {
    const cell = { scenario: "D1", executions: 7, complete: true } as const;
    const text = tableOf([
      { ...cell, column: "a", verdict: "deadlock" },
      { ...cell, column: "b", verdict: "none" },
      { ...cell, scenario: "D5", column: "a", verdict: "none", complete: false },
    ]);
    expect(text.split("\n").slice(0, 4)).toEqual([
      "    a             b",
      "D1  X 7           · 7",
      "    a",
      "D5  · 7, not all",
    ]);
  });
});

describe("the story of a deadlock", () => {
  it.each([
    ["D1", "loop/none"],
    ["D2 (i)", "loop/list0"],
    ["D6", "front-clone, fifo"],
  ])(
    "%s, %s: leads from the copier over the read that it waits for to the task that parks it",
    { timeout: SLOW_MS },
    async (row, column) => {
      const cell = CELLS.find((each) => each.row === row && each.column === column);
      if (cell === undefined) throw new RangeError(row);
      const { story } = await explore(cell.scenario, cell.variant, { after: "first" });
      expect(story).toMatch(/reader waits for mutex "snapshot \w+"/);
      expect(story).toMatch(/held by kcopyd \w+, who waits for reads under way of \w+/);
      expect(story).toMatch(
        /held by bio#\d+ READ sda \[\d+\.\.\d+\), parked on reader's own bio_list\[\d\]/,
      );
    },
  );
});
