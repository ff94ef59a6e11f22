import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import type { Extent } from "@blkstack/block";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { striped } from "./striped.ts";

it("chunks go to the devices in turn, row by row", async () => {
  const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
  await bench.create("0 32 striped 2 4 a 0 b 10");
  expect((await bench.start(BioOp.Write, { sector: 2, sectors: 14 })).status).toBe(BioStatus.Ok);
  expect(bench.a.log).toEqual(["WRITE 2+2", "WRITE 4+4"]);
  expect(bench.b.log).toEqual(["WRITE 10+4", "WRITE 14+4"]);
});

it("every sector has a place of its own", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), async (chunk) => {
      const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
      const size = chunk * 8;
      await bench.create(`0 ${String(size)} striped 2 ${String(chunk)} a 3 b 5`);
      for (let sector = 0; sector < size; sector += 1)
        await bench.start(BioOp.Write, { sector: sector, sectors: 1 });
      const places = (from: number) =>
        Array.from({ length: size / 2 }, (_, i) => `WRITE ${String(from + i)}+1`);
      expect([bench.a.log, bench.b.log]).toEqual([places(3), places(5)]);
    }),
    { numRuns: 10 },
  );
});

it("a flush goes to every device once", async () => {
  const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
  await bench.create("0 32 striped 2 4 a 0 b 10");
  await bench.start(BioOp.Write, { sector: 0, sectors: 0 }, { flags: BioFlag.Preflush });
  expect([bench.a.log, bench.b.log]).toEqual([["WRITE 0+0"], ["WRITE 10+0"]]);
});

it("a flush goes only to those devices that no line before it has had flushed", async () => {
  const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
  await bench.create("0 8 striped 1 8 a 8", "8 32 striped 2 4 a 16 b 10");
  await bench.start(BioOp.Write, { sector: 0, sectors: 0 }, { flags: BioFlag.Preflush });
  expect([bench.a.log, bench.b.log]).toEqual([["WRITE 8+0"], ["WRITE 10+0"]]);
});

it("status calls all devices alive; limits tell the chunk and the row", async () => {
  const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
  await bench.create("0 32 striped 2 4 a 0 b 10");
  expect(bench.dm.status("md")).toEqual(["0 32 striped 2 7:0 7:16 1 AA"]);
  expect(bench.dm.table("md")).toEqual(["0 32 striped 2 4 7:0 0 7:16 10"]);
  expect(bench.dm.get("md").queue.limits).toMatchObject({ ioMinBytes: 2048, ioOptBytes: 4096 });
});

describe("a line is refused", () => {
  it.each([
    ["1000 striped 2 16 a 0 b 0", "Target length not divisible by chunk size"],
    ["33 striped 2 4 a 0 b 0", "Target length not divisible by number of stripes"],
    ["32 striped 2", "Not enough arguments"],
    ["32 striped 0 4 a 0", "Invalid stripe count"],
    ["32 striped 2 x a 0 b 0", "Invalid chunk_size"],
    ["32 striped 2 4 a 0 b", "Not enough destinations specified"],
    ["32 striped 2 4 a 0 none 0", "Couldn't parse stripe destination"],
    ["32 striped 2 4 a 0 b 90", "b too small for target: start=90, len=16, dev_size=100"],
  ])("0 %s", async (line, message) => {
    expect(
      await new TargetBench({ types: [striped], sizeSectors: 100 }).refusal(`0 ${line}`),
    ).toContain(message);
  });
});

it("what is known of a chunk is what its device knows of it", async () => {
  const bench = new TargetBench({ types: [striped], sizeSectors: 100 });
  const asked: number[] = [];
  Object.assign(bench.b, {
    findExtent(sector: number, extent: Extent) {
      asked.push(sector);
      extent.flags = 2;
    },
  });
  await bench.create("0 32 striped 2 4 a 0 b 10");
  const look = (sector: number): [number, number] => {
    const extent: Extent = { sectors: 32 - sector, flags: 0, layer: 0 };
    bench.dm.get("md").findExtent(sector, extent);
    return [extent.sectors, extent.flags];
  };
  expect(look(1)).toEqual([3, 3]);
  expect(look(13)).toEqual([3, 2]);
  expect(asked).toEqual([15]);
});
