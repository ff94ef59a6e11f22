import { BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk } from "@blkstack/conformance";
import { describe, expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;

interface Parts {
  readonly bench: Bench;
  readonly origin: LateDisk;
  readonly cow: LateDisk;
}

/** An origin of 96 sectors and one snapshot of it with chunks of 8. */
async function snapshotOf(cowSectors = 256, store = "P 8"): Promise<Parts> {
  const bench = new Bench();
  const origin = bench.disk("origin", 96);
  const cow = bench.disk("cow", cowSectors);
  origin.bytes.fill(OLD);
  await bench.create("o", "0 96 snapshot-origin origin");
  await bench.create("s", `0 96 snapshot origin cow ${store}`);
  return { bench, origin, cow };
}

describe("a store that is full", () => {
  it("costs a snapshot that keeps to P everything, and the origin nothing, also after a reload", async () => {
    const { bench } = await snapshotOf(32);
    for (const chunk of [0, 1, 2]) {
      expect(await bench.write("o", chunk * 8, 8, NEW)).toBe(BioStatus.Ok);
    }
    expect(bench.status("s")).toBe("Invalid");
    expect(await bench.read("s", 0, 1)).toBeNull();
    expect(bench.dm.info("s").eventNumber).toBe(1);
    await bench.perform((task) => bench.dm.remove("s", task));
    await bench.create("s", "0 96 snapshot origin cow P 8");
    expect(bench.status("s")).toBe("Invalid");
  });

  it("leaves one that may overflow readable, until the origin needs room", async () => {
    const { bench } = await snapshotOf(32, "PO 8");
    for (const chunk of [0, 1]) await bench.write("s", chunk * 8, 8, OWN);
    expect(await bench.write("s", 16, 8, OWN)).toBe(BioStatus.IoError);
    expect(bench.status("s")).toBe("Overflow");
    expect(await bench.read("s", 0, 1)).toEqual([OWN]);
    expect(await bench.write("s", 0, 8, OWN)).toBe(BioStatus.IoError);
    expect(await bench.write("o", 0, 8, NEW)).toBe(BioStatus.Ok);
    expect(bench.status("s")).toBe("Overflow");
    expect(await bench.write("o", 24, 8, NEW)).toBe(BioStatus.Ok);
    expect(bench.status("s")).toBe("Invalid");
  });

  it("takes writes again once it has grown and the snapshot was resumed", async () => {
    const { bench, cow } = await snapshotOf(32, "PO 8");
    for (const chunk of [0, 1, 2]) await bench.write("s", chunk * 8, 8, OWN);
    cow.resize(64);
    await bench.perform(async (task) => {
      await bench.dm.suspend("s", task);
      await bench.dm.resume("s", task);
    });
    expect(bench.status("s")).toBe("32/64 16");
    expect(await bench.write("s", 16, 8, OWN)).toBe(BioStatus.Ok);
  });

  it("that has become smaller than what it holds keeps the snapshot from being resumed", async () => {
    const { bench, cow } = await snapshotOf();
    await bench.write("o", 0, 24, NEW);
    await bench.perform((task) => bench.dm.suspend("s", task));
    cow.resize(32);
    await expect(bench.perform((task) => bench.dm.resume("s", task))).rejects.toThrow(
      'COW device "cow" has become too small for what it holds: it has 32 sectors, of which 40 would be in use',
    );
    cow.resize(40);
    await bench.perform((task) => bench.dm.resume("s", task));
    expect(await bench.read("s", 8, 1)).toEqual([OLD]);
  });
});

describe("a store that fails", () => {
  it("at its metadata makes the snapshot invalid, and lets the origin be written", async () => {
    const { bench, cow } = await snapshotOf();
    cow.fails = (bio) => bio.op === BioOp.Write && bio.sector === 8;
    expect(await bench.write("o", 0, 8, NEW)).toBe(BioStatus.Ok);
    expect(bench.status("s")).toBe("Invalid");
  });

  it("is marked as invalid, durably, before the origin is written", async () => {
    const { bench, origin, cow } = await snapshotOf();
    cow.fails = (bio) => bio.op === BioOp.Write && bio.sector === 8;
    cow.holds = (bio) => bio.op === BioOp.Write && bio.sector === 0;
    const sent = await bench.start("o", BioOp.Write, { sector: 0, sectors: 8 }, NEW);
    expect(cow.log.at(-1)).toBe("WRITE 0+8 FUA");
    expect(origin.log).not.toContain("WRITE 0+8");
    cow.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
  });

  it("while its snapshot is removed does not keep that, or the origin, from coming to an end", async () => {
    const { bench, cow } = await snapshotOf();
    cow.holds = () => true;
    const sent = await bench.start("o", BioOp.Write, { sector: 0, sectors: 8 }, NEW);
    bench.scheduler.spawn("remove", (task) => bench.dm.remove("s", task));
    await bench.scheduler.run();
    cow.fails = () => true;
    cow.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect(bench.dm.list().map(({ name }) => name)).toEqual(["o"]);
    expect(bench.scheduler.warnings).toEqual([]);
  });
});

describe("another table for the same store", () => {
  it("goes on where the first was, which must be suspended", async () => {
    const { bench } = await snapshotOf();
    await bench.write("o", 0, 8, NEW);
    await bench.perform((task) => bench.dm.create("t", task));
    await bench.perform((task) => bench.dm.load("t", "0 96 snapshot origin cow P 8", task));
    const resume = () => bench.perform((task) => bench.dm.resume("t", task));
    await expect(resume()).rejects.toThrow("until source is suspended");
    await bench.perform((task) => bench.dm.suspend("s", task));
    await resume();
    expect([bench.status("t"), bench.status("s")]).toEqual(["24/256 16", "Invalid"]);
    expect(await bench.read("t", 0, 1)).toEqual([OLD]);
  });

  it("has nothing to take over when the first is gone", async () => {
    const { bench } = await snapshotOf();
    await bench.perform((task) => bench.dm.create("t", task));
    await bench.perform((task) => bench.dm.load("t", "0 96 snapshot origin cow P 8", task));
    await bench.perform((task) => bench.dm.remove("s", task));
    await bench.perform((task) => bench.dm.resume("t", task));
    expect(bench.status("t")).toBe("Invalid");
    expect(await bench.read("t", 0, 1)).toBeNull();
  });

  it("takes discards as the first did", async () => {
    const { bench } = await snapshotOf(256, "P 8 1 discard_zeroes_cow");
    await bench.write("s", 0, 8, OWN);
    await bench.reload("s", "0 96 snapshot origin cow P 8 1 discard_zeroes_cow");
    expect(await bench.discard("s", 0, 8)).toBe(BioStatus.Ok);
    expect(await bench.read("s", 0, 1)).toEqual([0]);
  });

  it("is refused as a table of its own would be", async () => {
    const { bench } = await snapshotOf();
    const load = bench.perform((task) => bench.dm.load("s", "0 96 snapshot origin cow P 7", task));
    await expect(load).rejects.toThrow("Couldn't create exception store");
  });
});

describe("a discard that is passed down", () => {
  it("leaves other snapshots what they have, wherever in their chunks it begins and ends", async () => {
    const { bench } = await snapshotOf(256, "P 4");
    bench.disk("cow2", 256);
    const features = "2 discard_zeroes_cow discard_passdown_origin";
    await bench.create("s2", `0 96 snapshot origin cow2 P 16 ${features}`);
    expect(await bench.discard("s2", 2, 4)).toBe(BioStatus.Ok);
    expect(await bench.read("o", 0, 8)).toEqual([OLD, OLD, 0, 0, 0, 0, OLD, OLD]);
    expect(await bench.read("s", 0, 8)).toEqual(Array(8).fill(OLD));
  });
});

describe("a merge", () => {
  async function merging(): Promise<Parts> {
    const parts = await snapshotOf();
    const { bench } = parts;
    for (const chunk of [7, 8, 9, 3]) await bench.write("s", chunk * 8, 8, OWN);
    await bench.perform(async (task) => {
      await bench.dm.suspend("s", task);
      await bench.dm.suspend("o", task);
      await bench.dm.load("o", "0 96 snapshot-merge origin cow P 8", task);
    });
    parts.origin.log.length = 0;
    return parts;
  }

  it("brings runs back, the youngest first, and flushes each before the store forgets it", async () => {
    const { bench, origin, cow } = await merging();
    cow.log.length = 0;
    await bench.perform((task) => bench.dm.resume("o", task));
    expect(origin.log).toEqual(["WRITE 24+8", "FLUSH", "WRITE 56+24", "FLUSH"]);
    expect(cow.log).toEqual([
      "READ 40+8",
      "FLUSH WRITE 8+8 FUA",
      "READ 16+24",
      "FLUSH WRITE 8+8 FUA",
    ]);
    expect(bench.status("o")).toBe("16/256 16");
    expect([origin.at(24), origin.at(56), origin.at(79), origin.at(80)]).toEqual([
      OWN,
      OWN,
      OWN,
      OLD,
    ]);
  });

  it("has a write to a chunk that is on its way wait until it is there", async () => {
    const { bench, origin } = await merging();
    origin.holds = (bio) => bio.op === BioOp.Write && bio.sector === 56 && bio.sectors === 24;
    await bench.perform((task) => bench.dm.resume("o", task));
    const sent = await bench.start("o", BioOp.Write, { sector: 64, sectors: 1 }, NEW);
    expect(sent.ends).toBe(0);
    expect(await bench.read("o", 64, 2)).toEqual([OWN, OWN]);
    origin.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect([origin.at(64), origin.at(65)]).toEqual([NEW, OWN]);
  });

  it("leaves other snapshots what they have", async () => {
    const { bench } = await merging();
    bench.disk("cow2", 256);
    await bench.create("s2", "0 96 snapshot origin cow2 P 4");
    await bench.perform((task) => bench.dm.resume("o", task));
    expect(bench.status("o")).toBe("16/256 16");
    expect(await bench.read("s2", 24, 8)).toEqual(Array(8).fill(OLD));
    expect(await bench.read("o", 24, 8)).toEqual(Array(8).fill(OWN));
    expect(await bench.write("o", 0, 8, NEW)).toBe(BioStatus.Ok);
    expect(await bench.read("s2", 0, 8)).toEqual(Array(8).fill(OLD));
  });

  it("that cannot write says so, serves everybody, and begins again with the next resume", async () => {
    const { bench, origin } = await merging();
    origin.fails = (bio) => bio.op === BioOp.Write;
    await bench.perform((task) => bench.dm.resume("o", task));
    expect(bench.status("o")).toBe("Merge failed");
    expect(await bench.read("o", 56, 1)).toEqual([OWN]);
    origin.fails = () => false;
    await bench.perform(async (task) => {
      await bench.dm.suspend("o", task);
      await bench.dm.resume("o", task);
    });
    expect(bench.status("o")).toBe("16/256 16");
  });

  it("is refused beside another one of the same origin, and from a store that cannot", async () => {
    const { bench } = await merging();
    bench.disk("cow2", 256);
    const create = (table: string) => bench.create("m", table);
    await expect(create("0 96 snapshot-merge origin cow2 P 8")).rejects.toThrow(
      "A snapshot is already merging.",
    );
    await bench.perform((task) => bench.dm.clear("o", task));
    await expect(create("0 96 snapshot-merge origin cow2 N 8")).rejects.toThrow(
      "Snapshot exception store does not support snapshot-merge.",
    );
  });
});

describe("a snapshot that is taken while its origin is written", () => {
  it("waits for the write that is under way, and then shows it for good", async () => {
    const { bench, origin } = await snapshotOf();
    await bench.write("o", 0, 8, OWN);
    bench.disk("cow2", 256);
    origin.holds = (bio) => bio.op === BioOp.Write;
    const sent = await bench.start("o", BioOp.Write, { sector: 0, sectors: 8 }, NEW);
    let isTaken = false;
    bench.scheduler.spawn("create", async (task) => {
      await bench.dm.create("s2", task, { table: "0 96 snapshot origin cow2 P 8" });
      isTaken = true;
    });
    await bench.scheduler.run();
    expect([sent.ends, isTaken]).toEqual([0, false]);
    origin.release();
    await bench.scheduler.run();
    expect([endOf(sent), isTaken]).toEqual([BioStatus.Ok, true]);
    expect(await bench.read("s2", 0, 8)).toEqual(Array(8).fill(NEW));
  });
});
