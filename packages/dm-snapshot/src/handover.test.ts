import { BioOp, BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;

/** A snapshot whose store has room for two chunks, and whose next table waits for a resume. */
async function reloading(store: "P" | "PO"): Promise<Bench> {
  const bench = new Bench();
  bench.disk("origin", 96).bytes.fill(OLD);
  bench.disk("cow", 32);
  const table = `0 96 snapshot origin cow ${store} 8`;
  await bench.create("o", "0 96 snapshot-origin origin");
  await bench.create("s", table);
  await bench.perform((task) => bench.dm.load("s", table, task));
  return bench;
}

async function takeOver(bench: Bench): Promise<void> {
  await bench.perform(async (task) => {
    await bench.dm.suspend("s", task);
    await bench.dm.resume("s", task);
  });
}

it("a snapshot that was lost before another table took its store over is lost there, too", async () => {
  const bench = await reloading("P");
  for (const chunk of [0, 1, 2]) await bench.write("o", chunk * 8, 8, NEW);
  expect(bench.status("s")).toBe("Invalid");
  await takeOver(bench);
  expect(bench.status("s")).toBe("Invalid");
  expect(await bench.read("s", 80, 1)).toBeNull();
  expect(await bench.write("s", 80, 1, OWN)).toBe(BioStatus.IoError);
  expect(await bench.write("o", 80, 8, NEW)).toBe(BioStatus.Ok);
});

it("a snapshot without room for writes stays readable, and full, under another table", async () => {
  const bench = await reloading("PO");
  for (const chunk of [0, 1, 2]) await bench.write("s", chunk * 8, 8, OWN);
  expect(bench.status("s")).toBe("Overflow");
  await takeOver(bench);
  expect(bench.status("s")).toBe("Overflow");
  expect(await bench.read("s", 8, 9)).toEqual([...Array<number>(8).fill(OWN), OLD]);
  expect(await bench.write("s", 0, 8, OWN)).toBe(BioStatus.IoError);
});

it("a copy that is under way when its snapshot gets another table is committed before that takes over", async () => {
  const bench = await reloading("P");
  const cow = bench.disk("cow2", 64);
  await bench.create("t", "0 96 snapshot origin cow2 P 8");
  await bench.perform((task) => bench.dm.load("t", "0 96 snapshot origin cow2 P 8", task));
  cow.holds = (bio) => bio.op === BioOp.Write && bio.sector === 16;
  const sent = await bench.start("o", BioOp.Write, { sector: 0, sectors: 8 }, NEW);
  bench.scheduler.spawn("take over", async (task) => {
    await bench.dm.suspend("t", task);
    await bench.dm.resume("t", task);
  });
  await bench.scheduler.run();
  expect(bench.status("t")).toBe("0/64 0");
  cow.release();
  await bench.scheduler.run();
  expect(endOf(sent)).toBe(BioStatus.Ok);
  expect(bench.status("t")).toBe("24/64 16");
  expect(await bench.read("t", 0, 8)).toEqual(Array(8).fill(OLD));
});
