import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { error } from "./error.ts";

it("reads and writes fail", async () => {
  const bench = new Bench(error);
  await bench.create("0 10 error");
  for (const op of [BioOp.Read, BioOp.Write]) {
    expect((await bench.send(op, [2, 3])).status).toBe(BioStatus.IoError);
  }
});

it("a flush succeeds, for nothing was ever written; a discard is not there", async () => {
  const bench = new Bench(error);
  await bench.create("0 10 error");
  expect((await bench.send(BioOp.Write, [0, 0], BioFlag.Preflush)).status).toBe(BioStatus.Ok);
  expect((await bench.send(BioOp.Discard, [0, 4])).status).toBe(BioStatus.NotSupported);
});

it("any arguments are taken, and forgotten", async () => {
  const bench = new Bench(error);
  await bench.create("0 10 error /dev/none 0");
  expect(bench.dm.table("md")).toEqual(["0 10 error "]);
});
