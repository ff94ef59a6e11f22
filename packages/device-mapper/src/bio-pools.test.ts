import { BioOp } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const TABLE = ["0 4 probe a 0", "4 4 probe a 4", "8 8 probe a 8"];

/** The reserves of the pools of "md", by their names. */
function reservesOf(bench: Bench): string[] {
  const labels = [...bench.memory.reserves].map(({ label }) => label);
  return labels.filter((label) => label.includes("md")).sort();
}

// An account with its clone for each bio; what is cut off, or further clones.
it.each([
  [frontClone, { ios: 3, clones: 0, splits: 2 }],
  [remainderClone, { ios: 3, clones: 0, splits: 2 }],
  [loop, { ios: 1, clones: 2, splits: 0 }],
])(
  "a write over three lines takes as many bios as it needs, and gives them back (%o): %o",
  async (splitPolicy, counts) => {
    const bench = new Bench({ splitPolicy });
    await bench.create("md", ...TABLE);
    bench.a.isHolding = true;
    await bench.send("md", BioOp.Write, 0, 12);
    const { pools } = bench.dm.get("md");
    const live = { ios: 0, clones: 0, splits: 0 };
    for (const name of ["ios", "clones", "splits"] as const) {
      live[name] = pools?.[name].bioPool.liveCount ?? -1;
    }
    expect(live).toEqual(counts);
    expect(pools?.liveCount).toBe(counts.ios + counts.clones + counts.splits);
    bench.a.endAll();
    expect(pools?.liveCount).toBe(0);
  },
);

it("each table has reserves of its own, which go with it", async () => {
  const bench = new Bench();
  await bench.create("md", ...TABLE);
  const reserves = reservesOf(bench);
  expect(reserves).toEqual(["clone", "io", "split"].map((kind) => `bio_set "md-${kind}"`));
  await bench.perform(async (task) => {
    await bench.dm.load("md", "0 8 probe b 0", task);
    await bench.dm.resume("md", task);
  });
  expect(reservesOf(bench)).toEqual(reserves);
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(reservesOf(bench)).toEqual([]);
});
