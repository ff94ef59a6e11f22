import { BioOp } from "@blkstack/bio";
import { MapResult } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { failing, probeType } from "../test/test-targets.ts";
import { perDevice } from "./flush-policy.ts";
import { Table } from "./table.ts";
import { TableTarget } from "./table-target.ts";

/** A table of lines of these lengths. */
function tableOf(...lengths: readonly number[]): Table {
  let end = 0;
  const entries = lengths.map((length, index) => {
    const line = {
      lineNumber: index + 1,
      begin: BigInt(end),
      length: BigInt(length),
      type: "failing",
      args: [],
    };
    end += length;
    const target = { map: () => MapResult.Kill, status: () => "", discardBios: index };
    return new TableTarget(line, failing, target, { exactly: BigInt });
  });
  return new Table(entries, [], perDevice);
}

describe.each([[[4]], [[1, 3]], [[3, 1, 2]], [[2, 2, 2, 2]], [[1, 5, 1, 3, 1, 1, 4]]])(
  "a table of lines of %j sectors",
  (lengths) => {
    it("knows for every sector whose it is, and that nobody has those behind", () => {
      const table = tableOf(...lengths);
      const owners = lengths.flatMap((length, index) => Array.from({ length }, () => index));
      const found = owners.map((_, sector) => table.find(sector));
      expect(found).toEqual(owners.map((index) => table.entries[index]));
      expect([table.sizeSectors, table.find(owners.length)]).toEqual([owners.length, null]);
      expect(table.find(owners.length + 1)).toBeNull();
    });

    it("needs as many clones as the line that needs most", () => {
      expect(tableOf(...lengths).mostClones).toBe(Math.max(0, lengths.length - 2));
    });
  },
);

it("targets find with a bio what their own type keeps there, and none what only others do", async () => {
  const seen = new Map<string, unknown>();
  const kind = (name: string) =>
    probeType(
      {
        createPerBioData: () => ({ name }),
        map: (bio, { context }) => {
          seen.set(`${name} at ${String(context.begin)}`, context.perBioData(bio));
          return undefined;
        },
      },
      name,
    );
  let refusal: unknown = null;
  const plain = probeType(
    {
      map: (bio, { context }) => {
        try {
          context.perBioData(bio);
        } catch (error) {
          refusal = error;
        }
        return undefined;
      },
    },
    "plain",
  );
  const bench = new Bench({ types: [plain, kind("x"), kind("y")] });
  await bench.create("md", "0 4 plain a", "4 4 x a", "8 4 y a", "12 4 x a", "16 4 y a");
  for (const sector of [0, 4, 8, 12, 16]) await bench.send("md", BioOp.Read, sector, 4);
  expect(String(refusal)).toContain("this type of target declared no per-bio data");
  expect(Object.fromEntries(seen)).toEqual({
    "x at 4": { name: "x" },
    "y at 8": { name: "y" },
    "x at 12": { name: "x" },
    "y at 16": { name: "y" },
  });
  expect(bench.dm.get("md").live?.table.createPerBioData()).toEqual([{ name: "x" }, { name: "y" }]);
});

it("copies of a flush beyond those that a target says the purpose of are its own", async () => {
  const bench = new Bench({ types: [probeType({ flushes: 3, passesFlushes: true })] });
  await bench.create("md", "0 8 probe a", "8 8 probe a", "16 8 probe b");
  const { table } = bench.dm.get("md").live ?? {};
  expect(table?.entries.map(({ flushCopies }) => flushCopies)).toEqual([
    [0, 1, 2],
    [1, 2],
    [0, 1, 2],
  ]);
  expect(table?.flushBios).toBe(8);
  table?.refresh();
  expect(table?.flushBios).toBe(8);
});

it("a table that is refused destroys what can be, and one that goes away, too", async () => {
  const destroyed: number[] = [];
  const event = (what: string, begin: number): void => {
    if (what === "destroy") destroyed.push(begin);
  };
  const bench = new Bench({ types: [probeType({ event })] });
  await expect(bench.create("md", "0 8 probe a", "8 8 failing", "16 8 none")).rejects.toThrow();
  expect(destroyed.splice(0)).toEqual([0]);
  await bench.create("md", "0 8 failing", "8 8 probe a", "16 8 probe a");
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(destroyed).toEqual([8, 16]);
});
