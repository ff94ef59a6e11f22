import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import type { Extent } from "@blkstack/block";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linear } from "./linear.ts";

it("a bio goes to the same place of another range", async () => {
  const bench = new TargetBench({ types: [linear], sizeSectors: 100 });
  await bench.create("0 10 linear b 0", "10 40 linear a 50");
  expect((await bench.start(BioOp.Read, { sector: 17, sectors: 3 })).status).toBe(BioStatus.Ok);
  expect(bench.a.log).toEqual(["READ 57+3"]);
});

it("every sector of a line has one of its own below", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 49 }), fc.nat({ max: 49 }), async (begin, start) => {
      const bench = new TargetBench({ types: [linear], sizeSectors: 100 });
      await bench.create(
        ...(begin > 0 ? [`0 ${String(begin)} linear b 0`] : []),
        `${String(begin)} 50 linear a ${String(start)}`,
      );
      for (let offset = 0; offset < 50; offset += 7)
        await bench.start(BioOp.Write, { sector: begin + offset, sectors: 1 });
      const expected = Array.from({ length: 8 }, (_, i) => `WRITE ${String(start + i * 7)}+1`);
      expect(bench.a.log).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

it("discards, flushes and flags go down as they are", async () => {
  const bench = new TargetBench({ types: [linear], sizeSectors: 100 });
  await bench.create("0 100 linear a 0");
  await bench.start(BioOp.Discard, { sector: 0, sectors: 100 });
  await bench.start(BioOp.Write, { sector: 0, sectors: 0 }, { flags: BioFlag.Preflush });
  expect(bench.a.log).toEqual(["DISCARD 0+100", "WRITE 0+0"]);
});

it("its table names the device by its number; it has no state to tell", async () => {
  const bench = new TargetBench({ types: [linear], sizeSectors: 100 });
  await bench.create("0 10 linear b 010");
  expect(bench.dm.table("md")).toEqual(["0 10 linear 7:16 10"]);
  expect(bench.dm.status("md")).toEqual(["0 10 linear "]);
});

describe("a line is refused", () => {
  it.each([
    ["a", "Invalid argument count (takes 2, got 1)"],
    ["a 5 6", "Invalid argument count (takes 2, got 3)"],
    ["a 5x", 'argument 2: linear: Invalid device sector ("5x"'],
    ["a -1", 'argument 2: linear: Invalid device sector ("-1"'],
    ["a +5", "Invalid device sector"],
    ["none 5", 'argument 1: linear: Device lookup failed (there is no device "none")'],
    ["a 91", "a too small for target: start=91, len=10, dev_size=100"],
  ])("linear %s", async (args, message) => {
    expect(
      await new TargetBench({ types: [linear], sizeSectors: 100 }).refusal(`0 10 linear ${args}`),
    ).toContain(message);
  });
});

it("what is known of sectors below is known of those above, line by line", async () => {
  const bench = new TargetBench({ types: [linear], sizeSectors: 100 });
  Object.assign(bench.a, {
    findExtent(sector: number, extent: Extent) {
      extent.sectors = Math.min(extent.sectors, 60 - sector);
      extent.flags = 2;
    },
  });
  await bench.create("0 10 linear b 0", "10 40 linear a 50");
  const look = (sector: number): Extent => {
    const extent: Extent = { sectors: 50 - sector, flags: 0, layer: 0 };
    bench.dm.get("md").findExtent(sector, extent);
    return extent;
  };
  expect(look(4)).toEqual({ sectors: 6, flags: 3, layer: 0 });
  expect(look(12)).toEqual({ sectors: 8, flags: 2, layer: 0 });
  await bench.perform((task) => bench.dm.suspend("md", task));
  expect(look(12)).toEqual({ sectors: 38, flags: 0, layer: 0 });
});
