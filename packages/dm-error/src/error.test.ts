import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { error } from "./error.ts";

it("reads and writes fail", async () => {
  const bench = new TargetBench({ types: [error], sizeSectors: 100 });
  await bench.create("0 10 error");
  for (const op of [BioOp.Read, BioOp.Write]) {
    expect((await bench.start(op, { sector: 2, sectors: 3 })).status).toBe(BioStatus.IoError);
  }
});

it("a flush succeeds, for nothing was ever written; a discard is not there", async () => {
  const bench = new TargetBench({ types: [error], sizeSectors: 100 });
  await bench.create("0 10 error");
  expect(
    (await bench.start(BioOp.Write, { sector: 0, sectors: 0 }, { flags: BioFlag.Preflush })).status,
  ).toBe(BioStatus.Ok);
  expect((await bench.start(BioOp.Discard, { sector: 0, sectors: 4 })).status).toBe(
    BioStatus.NotSupported,
  );
});

it("any arguments are taken, and forgotten", async () => {
  const bench = new TargetBench({ types: [error], sizeSectors: 100 });
  await bench.create("0 10 error /dev/none 0");
  expect(bench.dm.table("md")).toEqual(["0 10 error "]);
});
