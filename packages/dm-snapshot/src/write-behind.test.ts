import { type Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk, Range, SentBio } from "@blkstack/conformance";
import { describe, expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const OWN = 0xcc;
const NEW = 0xbb;
/** Where the store of these tests has its entries. */
const AREA_SECTOR = 8;

interface Parts {
  readonly bench: Bench;
  readonly origin: LateDisk;
  readonly cow: LateDisk;
}

/** An origin and a snapshot of it that is written behind, whose exceptions are kept from the disk. */
async function held(features = " 1 write_behind"): Promise<Parts> {
  const bench = new Bench();
  const origin = bench.disk("origin", 64);
  const cow = bench.disk("cow", 256);
  origin.bytes.fill(OLD);
  await bench.create("o", "0 64 snapshot-origin origin");
  await bench.create("s", `0 64 snapshot origin cow P 8${features}`);
  cow.holds = isEntries;
  return { bench, origin, cow };
}

const isEntries = (bio: Bio): boolean => bio.op === BioOp.Write && bio.sector === AREA_SECTOR;

function flush(bench: Bench): Promise<SentBio> {
  return bench.start("s", BioOp.Write, { sector: 0, sectors: 0 });
}

async function writeDurably(bench: Bench, range: Range): Promise<SentBio> {
  const sent = bench.bio(bench.dm.get("s"), BioOp.Write, range, OWN);
  sent.bio.flags |= BioFlag.Fua;
  bench.scheduler.spawn("sender", (task) => bench.submitter.submitBio(sent.bio, task));
  await bench.scheduler.run();
  return sent;
}

async function letGo({ bench, cow }: Parts): Promise<void> {
  cow.holds = () => false;
  cow.release();
  await bench.scheduler.run();
}

describe("a snapshot that is written behind", () => {
  it("shows its table what it was asked for", async () => {
    const { bench } = await held(" 2 write_behind discard_zeroes_cow");
    const [line] = bench.dm.table("s");
    expect(line).toMatch(/ P 8 2 discard_zeroes_cow write_behind$/);
  });

  it("ends a write, of a whole chunk or a part, before its exception is there, and reads it back", async () => {
    const { bench } = await held();
    expect(await bench.write("s", 40, 8, OWN)).toBe(BioStatus.Ok);
    expect(await bench.write("s", 25, 1, OWN)).toBe(BioStatus.Ok);
    expect(await bench.read("s", 40, 8)).toEqual(Array(8).fill(OWN));
    expect(await bench.read("s", 24, 3)).toEqual([OLD, OWN, OLD]);
  });

  it("without being asked waits for the exception", async () => {
    const { bench } = await held("");
    const sent = await bench.start("s", BioOp.Write, { sector: 40, sectors: 8 }, OWN);
    expect(sent.ends).toBe(0);
  });

  it("has a flush wait for the exceptions of all writes that ended before it", async () => {
    const parts = await held();
    await parts.bench.write("s", 40, 8, OWN);
    const sent = await flush(parts.bench);
    expect(sent.ends).toBe(0);
    await letGo(parts);
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect(endOf(await flush(parts.bench))).toBe(BioStatus.Ok);
  });

  it("has a durable write wait for its chunk's exception, whoever began it", async () => {
    const parts = await held();
    const { bench } = parts;
    const first = await writeDurably(bench, { sector: 40, sectors: 8 });
    await bench.write("s", 24, 8, NEW);
    const second = await writeDurably(bench, { sector: 26, sectors: 1 });
    expect([first.ends, second.ends]).toEqual([0, 0]);
    await letGo(parts);
    expect([endOf(first), endOf(second)]).toEqual([BioStatus.Ok, BioStatus.Ok]);
    expect(await bench.read("s", 25, 3)).toEqual([NEW, OWN, NEW]);
  });

  it("has a write to the origin wait as ever", async () => {
    const parts = await held();
    const { bench, origin } = parts;
    await bench.write("s", 40, 8, OWN);
    const sent = await bench.start("o", BioOp.Write, { sector: 40, sectors: 8 }, NEW);
    expect(sent.ends).toBe(0);
    expect(origin.bytes[40 * 512]).toBe(OLD);
    await letGo(parts);
    expect(endOf(sent)).toBe(BioStatus.Ok);
    expect(await bench.read("s", 40, 8)).toEqual(Array(8).fill(OWN));
  });

  it("tells whoever flushes that writes which had ended are lost, every time", async () => {
    const { bench, cow } = await held();
    await bench.write("s", 40, 8, OWN);
    const sent = await flush(bench);
    cow.fails = isEntries;
    cow.release();
    await bench.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.IoError);
    expect(bench.status("s")).toBe("Invalid");
    expect(endOf(await flush(bench))).toBe(BioStatus.IoError);
  });

  it("is suspended only when the exceptions of all its writes are there", async () => {
    const parts = await held();
    const { bench } = parts;
    await bench.write("s", 40, 8, OWN);
    let isSuspended = false;
    bench.scheduler.spawn("administrator", async (task) => {
      await bench.dm.suspend("s", task);
      isSuspended = true;
    });
    await bench.scheduler.run();
    expect(isSuspended).toBe(false);
    await letGo(parts);
    expect(isSuspended).toBe(true);
  });

  it("has a cache that forgets, to those above it, on whatever disks it stands", async () => {
    const { bench } = await held();
    for (const name of ["solid", "solid-store"]) {
      const { queue } = bench.disk(name, 256);
      queue.limits = { ...queue.limits, hasVolatileCache: false };
    }
    await bench.create("t", "0 64 snapshot solid solid-store P 8 1 write_behind");
    expect(bench.dm.get("t").queue.limits.hasVolatileCache).toBe(true);
  });
});
