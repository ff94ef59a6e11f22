import { BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;

/** Two chunks of a snapshot, 0 and 5, on their way back; the younger one, 5, is kept from arriving. */
async function merging(): Promise<{ bench: Bench; origin: LateDisk; cow: LateDisk }> {
  const bench = new Bench();
  const origin = bench.disk("origin", 96);
  const cow = bench.disk("cow", 256);
  origin.bytes.fill(OLD);
  await bench.create("o", "0 96 snapshot-origin origin");
  await bench.create("s", "0 96 snapshot origin cow P 8");
  for (const chunk of [0, 5]) await bench.write("s", chunk * 8, 8, OWN);
  await bench.perform(async (task) => {
    await bench.dm.suspend("s", task);
    await bench.dm.suspend("o", task);
    await bench.dm.load("o", "0 96 snapshot-merge origin cow P 8", task);
    origin.holds = (bio) => bio.op === BioOp.Write;
    await bench.dm.resume("o", task);
  });
  return { bench, origin, cow };
}

it("a chunk is not merged before a write to it that is under way has arrived in the store", async () => {
  const { bench, origin, cow } = await merging();
  cow.holds = (bio) => bio.op === BioOp.Write && bio.sector === 18;
  const sent = await bench.start("o", BioOp.Write, { sector: 2, sectors: 1 }, NEW);
  cow.log.length = 0;
  origin.release();
  await bench.scheduler.run();
  expect(cow.log).not.toContain("READ 16+8");
  expect(bench.status("o")).toBe("24/256 16");
  cow.release();
  await bench.scheduler.run();
  expect(endOf(sent)).toBe(BioStatus.Ok);
  expect(bench.status("o")).toBe("16/256 16");
  expect([origin.at(1), origin.at(2), origin.at(3)]).toEqual([OWN, NEW, OWN]);
});

it("a write that comes while that is waited for stays behind it, and is not lost under the copy", async () => {
  const { bench, origin, cow } = await merging();
  cow.holds = (bio) => bio.op === BioOp.Write && bio.sector === 18;
  const first = await bench.start("o", BioOp.Write, { sector: 2, sectors: 1 }, NEW);
  origin.release();
  await bench.scheduler.run();
  const second = await bench.start("o", BioOp.Write, { sector: 3, sectors: 1 }, NEW);
  expect(second.ends).toBe(0);
  cow.release();
  await bench.scheduler.run();
  expect([endOf(first), endOf(second)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
  expect([origin.at(1), origin.at(2), origin.at(3)]).toEqual([OWN, NEW, NEW]);
});

it("a write that fails on its way to the store holds up nothing", async () => {
  const { bench, origin, cow } = await merging();
  cow.fails = (bio) => bio.op === BioOp.Write && bio.sector === 18;
  expect(await bench.write("o", 2, 1, NEW)).toBe(BioStatus.IoError);
  expect(await bench.stat("o", "tracked")).toBe(0);
  origin.release();
  await bench.scheduler.run();
  expect(bench.status("o")).toBe("16/256 16");
});

it("a write that waits for a merge which then fails ends with an error, once", async () => {
  const { bench, origin } = await merging();
  const sent = await bench.start("o", BioOp.Write, { sector: 40, sectors: 1 }, NEW);
  expect(sent.ends).toBe(0);
  origin.fails = (bio) => bio.op === BioOp.Write;
  origin.release();
  await bench.scheduler.run();
  expect(endOf(sent)).toBe(BioStatus.IoError);
  expect(bench.status("o")).toBe("Merge failed");
  expect(await bench.read("o", 40, 1)).toEqual([OWN]);
});
