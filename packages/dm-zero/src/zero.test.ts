import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { zero } from "./zero.ts";

it("reads are zeroes, before a write and after it", async () => {
  const bench = new Bench(zero);
  await bench.create("0 10 zero");
  for (const op of [BioOp.Read, BioOp.Write, BioOp.Read]) {
    const { status, bytes } = await bench.send(op, [3, 4]);
    expect(status).toBe(BioStatus.Ok);
    expect(bytes.every((byte) => byte === (op === BioOp.Read ? 0 : 0xee))).toBe(true);
  }
});

it("only the memory of the piece is zeroed, when a bio reaches into a line of zeroes", async () => {
  const bench = new Bench(zero);
  await bench.create("0 4 zero", "4 6 zero");
  const { bytes } = await bench.send(BioOp.Read, [2, 6]);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

it("a read-ahead fails, a flush succeeds, a discard is not there", async () => {
  const bench = new Bench(zero);
  await bench.create("0 10 zero");
  const statuses = [
    await bench.send(BioOp.Read, [0, 4], BioFlag.ReadAhead),
    await bench.send(BioOp.Write, [0, 0], BioFlag.Preflush),
    await bench.send(BioOp.Discard, [0, 4]),
  ].map(({ status }) => status);
  expect(statuses).toEqual([BioStatus.IoError, BioStatus.Ok, BioStatus.NotSupported]);
});

it("arguments are refused", async () => {
  expect(await new Bench(zero).refusal("0 10 zero x")).toContain("zero: No arguments required");
});

it("more sectors than a number can count keep their count", async () => {
  const bench = new Bench(zero);
  await bench.create("0 18014398509481983 zero");
  expect(bench.dm.table("md")).toEqual(["0 18014398509481983 zero "]);
});
