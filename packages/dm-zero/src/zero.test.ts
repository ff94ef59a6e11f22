import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { zero } from "./zero.ts";

it("reads are zeroes, before a write and after it", async () => {
  const bench = new TargetBench({ types: [zero], sizeSectors: 100 });
  await bench.create("0 10 zero");
  for (const op of [BioOp.Read, BioOp.Write, BioOp.Read]) {
    const { status, bytes } = await bench.start(op, { sector: 3, sectors: 4 });
    expect(status).toBe(BioStatus.Ok);
    expect(bytes.every((byte) => byte === (op === BioOp.Read ? 0 : 0xee))).toBe(true);
  }
});

it("only the memory of the piece is zeroed, when a bio reaches into a line of zeroes", async () => {
  const bench = new TargetBench({ types: [zero], sizeSectors: 100 });
  await bench.create("0 4 zero", "4 6 zero");
  const { bytes } = await bench.start(BioOp.Read, { sector: 2, sectors: 6 });
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

it("a read-ahead fails, a flush succeeds, a discard is not there", async () => {
  const bench = new TargetBench({ types: [zero], sizeSectors: 100 });
  await bench.create("0 10 zero");
  const statuses = [
    await bench.start(BioOp.Read, { sector: 0, sectors: 4 }, { flags: BioFlag.ReadAhead }),
    await bench.start(BioOp.Write, { sector: 0, sectors: 0 }, { flags: BioFlag.Preflush }),
    await bench.start(BioOp.Discard, { sector: 0, sectors: 4 }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([BioStatus.IoError, BioStatus.Ok, BioStatus.NotSupported]);
});

it("arguments are refused", async () => {
  expect(
    await new TargetBench({ types: [zero], sizeSectors: 100 }).refusal("0 10 zero x"),
  ).toContain("zero: No arguments required");
});

it("more sectors than a number can count keep their count", async () => {
  const bench = new TargetBench({ types: [zero], sizeSectors: 100 });
  await bench.create("0 18014398509481983 zero");
  expect(bench.dm.table("md")).toEqual(["0 18014398509481983 zero "]);
});
