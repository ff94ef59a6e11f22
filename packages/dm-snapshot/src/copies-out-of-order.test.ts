import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk, SentBio } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;

/** Three chunks, 1 to 3, of an origin are written at once; their copies are under way to the store. */
async function copying(): Promise<{
  bench: Bench;
  origin: LateDisk;
  cow: LateDisk;
  sent: SentBio[];
}> {
  const bench = new Bench();
  const origin = bench.disk("origin", 64);
  const cow = bench.disk("cow", 256);
  origin.bytes.fill(OLD);
  await bench.create("o", "0 64 snapshot-origin origin");
  await bench.create("s", "0 64 snapshot origin cow P 8");
  cow.log.length = 0;
  cow.holds = (bio) => bio.op === BioOp.Write && (bio.flags & BioFlag.Fua) === 0;
  const sent: SentBio[] = [];
  for (const chunk of [1, 2, 3]) {
    sent.push(await bench.start("o", BioOp.Write, { sector: chunk * 8, sectors: 8 }, NEW));
  }
  return { bench, origin, cow, sent };
}

/** The entries of the first area: old and new chunks. */
function entriesOf({ bytes }: LateDisk): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + 8 * 512);
  return [0, 1, 2, 3].map((index) => [
    view.getUint32(index * 16, true),
    view.getUint32(index * 16 + 8, true),
  ]);
}

/** Has one of the copies that are kept arrive. */
async function arrive(bench: Bench, disk: LateDisk, sector: number): Promise<void> {
  const index = disk.held.findIndex((bio) => bio.sector === sector);
  const [bio] = disk.held.splice(index, 1);
  if (bio === undefined) throw new Error(`no copy to ${String(sector)} is under way`);
  bench.scheduler.raise(disk, bio);
  await bench.scheduler.run();
}

it("copies that arrive the last first are committed in the order of their places, in one write", async () => {
  const { bench, cow, sent } = await copying();
  for (const sector of [32, 16, 24]) await arrive(bench, cow, sector);
  expect(sent.map(endOf)).toEqual([BioStatus.Ok, BioStatus.Ok, BioStatus.Ok]);
  expect(entriesOf(cow)).toEqual([
    [1, 2],
    [2, 3],
    [3, 4],
    [0, 0],
  ]);
  expect(cow.log).toEqual(["WRITE 16+8", "WRITE 24+8", "WRITE 32+8", "FLUSH WRITE 8+8 FUA"]);
});

it("until the first has arrived nobody may write over what the later ones keep", async () => {
  const { bench, origin, cow, sent } = await copying();
  for (const sector of [32, 24]) await arrive(bench, cow, sector);
  expect(sent.map(({ ends }) => ends)).toEqual([0, 0, 0]);
  expect(origin.log.filter((line) => line.includes("WRITE"))).toEqual([]);
  expect(entriesOf(cow)[0]).toEqual([0, 0]);
  await arrive(bench, cow, 16);
  expect(origin.log.filter((line) => line.includes("WRITE")).sort()).toEqual([
    "WRITE 16+8",
    "WRITE 24+8",
    "WRITE 8+8",
  ]);
});

it("one that fails loses the snapshot, and fails no write to the origin", async () => {
  const { bench, cow, sent } = await copying();
  cow.fails = (bio) => bio.sector === 24;
  for (const sector of [32, 24, 16]) await arrive(bench, cow, sector);
  expect(sent.map(endOf)).toEqual([BioStatus.Ok, BioStatus.Ok, BioStatus.Ok]);
  expect(bench.status("s")).toBe("Invalid");
  expect(entriesOf(cow)[0]).toEqual([0, 0]);
});
