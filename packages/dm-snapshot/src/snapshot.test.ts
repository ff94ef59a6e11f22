import { BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk } from "@blkstack/conformance";
import { describe, expect, it } from "vitest";
import { Bench, endOf, fillOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;

interface Parts {
  readonly bench: Bench;
  readonly origin: LateDisk;
  readonly cow: LateDisk;
}

/** An origin of 64 sectors, and one snapshot of it. */
async function snapshotOf({
  store = "P",
  cowSectors = 256,
  originSectors = 64,
  chunk = 8,
  features = "",
} = {}): Promise<Parts> {
  const bench = new Bench();
  const origin = bench.disk("origin", originSectors);
  const cow = bench.disk("cow", cowSectors);
  origin.bytes.fill(OLD);
  const size = String(originSectors);
  await bench.create("o", `0 ${size} snapshot-origin origin`);
  await bench.create("s", `0 ${size} snapshot origin cow ${store} ${String(chunk)}${features}`);
  origin.log.length = 0;
  cow.log.length = 0;
  return { bench, origin, cow };
}

describe("the first write to a chunk of the origin", () => {
  it("copies the chunk, then tells the store, and only then reaches the origin", async () => {
    const { bench, origin, cow } = await snapshotOf();
    origin.holds = (bio) => bio.op === BioOp.Write;
    const sent = await bench.start("o", BioOp.Write, { sector: 24, sectors: 8 }, NEW);
    expect(cow.log).toEqual(["WRITE 16+8", "FLUSH WRITE 8+8 FUA"]);
    expect(origin.log).toEqual(["READ 24+8", "WRITE 24+8"]);
    origin.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect(await bench.read("s", 24, 8)).toEqual(Array(8).fill(OLD));
    expect(await bench.read("o", 24, 8)).toEqual(Array(8).fill(NEW));
    expect(bench.status("s")).toBe("24/256 16");
  });

  it("waits for the store however small it is, and the second one does not", async () => {
    const { bench, cow } = await snapshotOf();
    await bench.write("o", 25, 1, NEW);
    cow.log.length = 0;
    await bench.write("o", 26, 2, NEW);
    expect(cow.log).toEqual([]);
    expect(await bench.read("s", 24, 8)).toEqual(Array(8).fill(OLD));
  });

  it("copies no more than there is of a last chunk that is cut short", async () => {
    const { bench, origin, cow } = await snapshotOf({ originSectors: 61 });
    await bench.write("o", 60, 1, NEW);
    expect(origin.log[0]).toBe("READ 56+5");
    expect(cow.log[0]).toBe("WRITE 16+5");
    expect(await bench.read("s", 56, 5)).toEqual(Array(5).fill(OLD));
  });

  it("does not wait for a snapshot that is loaded but not resumed", async () => {
    const { bench } = await snapshotOf();
    bench.disk("cow2", 256);
    await bench.perform(async (task) => {
      await bench.dm.create("s2", task);
      await bench.dm.load("s2", "0 64 snapshot origin cow2 P 8", task);
    });
    await bench.write("o", 0, 8, NEW);
    await bench.perform((task) => bench.dm.resume("s2", task));
    expect(bench.status("s2")).toBe("16/256 16");
    expect(await bench.read("s2", 0, 1)).toEqual([NEW]);
  });
});

describe("a snapshot's own write", () => {
  it("of a whole chunk is its own copy: the origin is not read", async () => {
    const { bench, origin, cow } = await snapshotOf();
    await bench.write("s", 40, 8, OWN);
    expect(origin.log).toEqual([]);
    expect(cow.log).toEqual(["WRITE 16+8", "FLUSH WRITE 8+8 FUA"]);
    expect(await bench.read("s", 40, 8)).toEqual(Array(8).fill(OWN));
    expect(await bench.read("o", 40, 8)).toEqual(Array(8).fill(OLD));
  });

  it("of less copies the chunk first, and is written into the copy", async () => {
    const { bench, origin, cow } = await snapshotOf();
    await bench.write("s", 41, 1, OWN);
    expect(origin.log).toEqual(["READ 40+8"]);
    expect(cow.log).toEqual(["WRITE 16+8", "FLUSH WRITE 8+8 FUA", "WRITE 17+1"]);
    expect(await bench.read("s", 40, 3)).toEqual([OLD, OWN, OLD]);
  });

  it("of all that there is of a short last chunk copies it too", async () => {
    const { bench, origin } = await snapshotOf({ originSectors: 61 });
    await bench.write("s", 56, 5, OWN);
    expect(origin.log).toEqual(["READ 56+5"]);
    expect(await bench.read("s", 56, 5)).toEqual(Array(5).fill(OWN));
  });

  it("that comes while the origin has the chunk copied does not copy it again", async () => {
    const { bench, origin, cow } = await snapshotOf();
    cow.holds = () => true;
    const first = await bench.start("o", BioOp.Write, { sector: 24, sectors: 8 }, NEW);
    const second = await bench.start("s", BioOp.Write, { sector: 24, sectors: 8 }, OWN);
    expect(cow.log).toEqual(["WRITE 16+8"]);
    cow.release();
    await bench.scheduler.run();
    expect([endOf(first), endOf(second)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
    expect(origin.log.filter((line) => line.startsWith("READ"))).toEqual(["READ 24+8"]);
    expect(await bench.read("s", 24, 8)).toEqual(Array(8).fill(OWN));
    expect(await bench.read("o", 24, 8)).toEqual(Array(8).fill(NEW));
  });

  it("that comes while a whole chunk is written waits until that is committed, and wins", async () => {
    const { bench, cow } = await snapshotOf();
    cow.holds = () => true;
    const first = await bench.start("s", BioOp.Write, { sector: 24, sectors: 8 }, NEW);
    const second = await bench.start("s", BioOp.Write, { sector: 26, sectors: 1 }, OWN);
    expect(cow.log).toEqual(["WRITE 16+8"]);
    expect(await bench.read("s", 24, 4)).toEqual(Array(4).fill(OLD));
    cow.release();
    await bench.scheduler.run();
    expect([endOf(first), endOf(second)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
    expect(await bench.read("s", 24, 4)).toEqual([NEW, NEW, OWN, NEW]);
  });
});

describe("several snapshots with chunks of their own", () => {
  it("all have the old data durably before the origin has the new", async () => {
    const { bench, origin, cow } = await snapshotOf({ originSectors: 128 });
    const other = bench.disk("cow32", 512);
    await bench.create("s32", "0 128 snapshot origin cow32 P 32");
    other.log.length = 0;
    other.holds = () => true;
    const sent = await bench.start("o", BioOp.Write, { sector: 100, sectors: 1 }, NEW);
    expect(cow.log).toEqual(["WRITE 16+8", "FLUSH WRITE 8+8 FUA"]);
    expect(origin.log).not.toContain("WRITE 100+1");
    other.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect(other.log).toEqual(["WRITE 64+32", "FLUSH WRITE 32+32 FUA"]);
    expect(await bench.read("s", 100, 1)).toEqual([OLD]);
    expect(await bench.read("s32", 100, 1)).toEqual([OLD]);
    expect(origin.at(100)).toBe(NEW);
  });

  it("cut a long write to the origin at the smallest chunk, also when that came later", async () => {
    const { bench, origin } = await snapshotOf({ chunk: 32 });
    await bench.write("o", 0, 32, NEW);
    bench.disk("cow4", 256);
    await bench.create("s4", "0 64 snapshot origin cow4 P 4");
    origin.log.length = 0;
    await bench.write("o", 0, 32, OWN);
    expect(origin.log.filter((line) => line.startsWith("WRITE"))).toHaveLength(8);
    expect(await bench.read("s4", 0, 32)).toEqual(Array(32).fill(NEW));
    expect(await bench.read("s", 0, 32)).toEqual(Array(32).fill(OLD));
  });
});

describe("a read of the snapshot that is still under way to the origin", () => {
  it("keeps the origin's chunk as it is, though the copy is made", async () => {
    const { bench, origin } = await snapshotOf();
    origin.holds = (bio) => bio.op === BioOp.Read && bio.sectors === 2;
    const read = await bench.start("s", BioOp.Read, { sector: 0, sectors: 2 });
    const write = await bench.start("o", BioOp.Write, { sector: 0, sectors: 2 }, NEW);
    expect(origin.log).toEqual(["READ 0+2", "READ 0+8"]);
    expect(write.ends).toBe(0);
    expect(bench.status("s")).toBe("24/256 16");
    origin.release();
    await bench.scheduler.run();
    expect([endOf(read), endOf(write)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
    expect(fillOf(read)).toEqual([OLD, OLD]);
    expect(await bench.read("o", 0, 2)).toEqual([NEW, NEW]);
  });

  it("keeps later writes to the chunk back, too, though its copy is committed", async () => {
    const { bench, origin } = await snapshotOf();
    origin.holds = (bio) => bio.op === BioOp.Read && bio.sectors === 1;
    const read = await bench.start("s", BioOp.Read, { sector: 2, sectors: 1 });
    await bench.start("o", BioOp.Write, { sector: 0, sectors: 1 }, NEW);
    const later = await bench.start("o", BioOp.Write, { sector: 2, sectors: 1 }, NEW);
    expect([later.ends, origin.log.filter((line) => line.startsWith("WRITE"))]).toEqual([0, []]);
    origin.release();
    await bench.scheduler.run();
    expect([endOf(read), endOf(later)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
    expect(fillOf(read)).toEqual([OLD]);
  });

  it("that fails lets the write go on, too", async () => {
    const { bench, origin } = await snapshotOf();
    origin.holds = (bio) => bio.op === BioOp.Read && bio.sectors === 2;
    const read = await bench.start("s", BioOp.Read, { sector: 0, sectors: 2 });
    const write = await bench.start("o", BioOp.Write, { sector: 0, sectors: 2 }, NEW);
    origin.fails = (bio) => bio.op === BioOp.Read;
    origin.release();
    await bench.scheduler.run();
    expect([endOf(read), endOf(write)]).toEqual([BioStatus.IoError, BioStatus.Ok]);
    expect(await bench.stat("s", "tracked")).toBe(0);
  });

  it("does not keep later reads waiting, which find the copy", async () => {
    const { bench, origin } = await snapshotOf();
    origin.holds = (bio) => bio.op === BioOp.Read && bio.sectors === 2;
    await bench.start("s", BioOp.Read, { sector: 0, sectors: 2 });
    await bench.start("o", BioOp.Write, { sector: 0, sectors: 2 }, NEW);
    expect(await bench.read("s", 0, 1)).toEqual([OLD]);
    origin.release();
    await bench.scheduler.run();
  });
});
