import { type Bio, BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError, type Extent, ExtentLayer } from "@blkstack/block";
import { AccessMode } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { dataOf, ended, pattern, planBio } from "@blkstack/block/testing";
import { failSectors } from "./faults.ts";
import { RamDisk, type RamDiskOptions } from "./ram-disk.ts";

const GIB_SECTORS = 2 ** 21;
const { Read, Write, Flush, Discard, WriteZeroes, SecureErase } = BioOp;

function ramDisk(options: Partial<RamDiskOptions> = {}): RamDisk {
  const scheduler = new VirtualScheduler();
  return new RamDisk({ name: "ram0", sizeSectors: 400, scheduler, ...options });
}

async function contents(disk: RamDisk): Promise<Uint8Array> {
  const bio = planBio({ op: Read, sector: 0, sectors: disk.sizeSectors });
  expect(await ended(disk, bio)).toBe(BioStatus.Ok);
  return dataOf(bio);
}

describe("the data of a RamDisk", () => {
  it("is what a plain array of bytes would hold, for any operations and vectors", async () => {
    const step = fc.record({
      op: fc.constantFrom(Read, Write, Write, Discard, WriteZeroes),
      sector: fc.nat(399),
      sectors: fc.integer({ min: 1, max: 300 }),
      cuts: fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 12 }),
      flags: fc.constantFrom(0, BioFlag.Fua, BioFlag.Preflush, BioFlag.NoUnmap),
      seed: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const disk = ramDisk();
        const model = new Uint8Array(400 * SECTOR_BYTES);
        for (const { op, seed, ...plan } of steps) {
          const sectors = Math.min(plan.sectors, 400 - plan.sector);
          const range = model.subarray(
            plan.sector * SECTOR_BYTES,
            (plan.sector + sectors) * SECTOR_BYTES,
          );
          const data = pattern(sectors, seed);
          const bio = planBio({ ...plan, op, sectors, data });
          expect(await ended(disk, bio)).toBe(BioStatus.Ok);
          if (op === Read) expect(Buffer.compare(dataOf(bio), range)).toBe(0);
          else if (op === Write) range.set(data);
          else range.fill(0);
        }
        expect(Buffer.compare(await contents(disk), model)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("goes on from where the iterator of a half-done bio stands", async () => {
    const disk = ramDisk();
    const bio = planBio({ op: Write, sector: 8, sectors: 4, cuts: [700], data: pattern(4, 1) });
    bio.advance(1024);
    expect(await ended(disk, bio)).toBe(BioStatus.Ok);
    const all = await contents(disk);
    expect(all.subarray(10 * 512, 12 * 512)).toEqual(pattern(4, 1).subarray(1024));
    expect(all.subarray(0, 10 * 512)).toEqual(new Uint8Array(10 * 512));
  });

  it("touches no memory beside the vectors", async () => {
    const bio = planBio({ op: Read, sector: 0, sectors: 3, cuts: [100, 900] });
    await ended(ramDisk(), bio);
    for (const { page, offset, length } of bio.vecs) {
      expect(page.bytes.subarray(0, offset).every((byte) => byte === 0xee)).toBe(true);
      expect(page.bytes.subarray(offset + length).every((byte) => byte === 0xee)).toBe(true);
    }
  });
});

describe("the memory of a RamDisk", () => {
  it("of 128 GiB is what was written, and comes back when that is discarded", async () => {
    const disk = ramDisk({ sizeSectors: 128 * GIB_SECTORS });
    const far = 128 * GIB_SECTORS - 8;
    await ended(disk, planBio({ op: Write, sector: far, sectors: 8, data: pattern(8, 3) }));
    const read = planBio({ op: Read, sector: far, sectors: 8 });
    await ended(disk, read);
    expect(dataOf(read)).toEqual(pattern(8, 3));
    expect(disk.allocatedBytes).toBe(65_536);
    const all = planBio({ op: Discard, sector: 0, sectors: 1 });
    all.sector = 128 * GIB_SECTORS - 4_000_000;
    all.sizeBytes = 4_000_000 * SECTOR_BYTES;
    expect(await ended(disk, all)).toBe(BioStatus.Ok);
    expect(disk.allocatedBytes).toBe(0);
  });

  it("stays taken when zeroes are written that must not unmap", async () => {
    const disk = ramDisk();
    await ended(disk, planBio({ op: Write, sector: 0, sectors: 200, data: pattern(200, 1) }));
    const before = disk.allocatedBytes;
    const flags = BioFlag.NoUnmap;
    await ended(disk, planBio({ op: WriteZeroes, sector: 0, sectors: 400, flags }));
    expect(disk.allocatedBytes).toBe(before);
    await ended(disk, planBio({ op: WriteZeroes, sector: 0, sectors: 400 }));
    expect(disk.allocatedBytes).toBe(0);
  });

  it("has a limit, beyond which writes end with NoSpace and what is there stays readable", async () => {
    const disk = ramDisk({ memoryLimitBytes: 65_536 });
    const data = pattern(8, 9);
    expect(await ended(disk, planBio({ op: Write, sector: 0, sectors: 8, data }))).toBe(0);
    const beyond = planBio({ op: Write, sector: 200, sectors: 8, data });
    expect(await ended(disk, beyond)).toBe(BioStatus.NoSpace);
    const inside = planBio({ op: Write, sector: 16, sectors: 8, data });
    expect(await ended(disk, inside)).toBe(BioStatus.Ok);
    expect((await contents(disk)).subarray(0, 4096)).toEqual(data);
  });
});

describe("what a RamDisk refuses", () => {
  it("a bio that reaches beyond the end gets IoError, an empty flush there does not", async () => {
    const disk = ramDisk();
    for (const op of [Read, Write, Discard, WriteZeroes]) {
      expect(await ended(disk, planBio({ op, sector: 393, sectors: 8 }))).toBe(BioStatus.IoError);
    }
    expect(await ended(disk, planBio({ op: Flush, sector: 4000, sectors: 0 }))).toBe(0);
  });

  it("a read-only disk takes reads and empty flushes and nothing that writes", async () => {
    const disk = ramDisk({ isReadOnly: true });
    const ends = async (op: BioOp, sectors: number): Promise<BioStatus> =>
      ended(disk, planBio({ op, sector: 0, sectors }));
    expect(await ends(Read, 8)).toBe(BioStatus.Ok);
    expect(await ends(Flush, 0)).toBe(BioStatus.Ok);
    for (const op of [Write, Discard, WriteZeroes]) {
      expect(await ends(op, 8)).toBe(BioStatus.ReadOnly);
    }
  });

  it("an operation that memory does not know ends with NotSupported", async () => {
    const bio = planBio({ op: SecureErase, sector: 0, sectors: 8 });
    expect(await ended(ramDisk(), bio)).toBe(BioStatus.NotSupported);
  });

  it.each([0, -1, 1.5, NaN, 2 ** 45])("a size of %d sectors", (sizeSectors) => {
    expect(() => ramDisk({ sizeSectors })).toThrow(BlockError);
  });
});

it("limits that no disk can have are refused", () => {
  expect(() => ramDisk({ limits: { logicalBlockBytes: 600 } })).toThrow(/ram0.*600/);
});

describe("the faults of a RamDisk", () => {
  it("end the bios that touch the range, for the operations named, and move nothing", async () => {
    const faults = failSectors(
      { startSector: 10, sizeSectors: 2, status: BioStatus.Medium, ops: [Read] },
      { startSector: 20, sizeSectors: 1, status: BioStatus.Target },
    );
    const disk = ramDisk({ faults });
    const ends = async (op: BioOp, sector: number): Promise<BioStatus> =>
      ended(disk, planBio({ op, sector, sectors: 2, data: pattern(2, 5) }));
    expect(await ends(Read, 8)).toBe(BioStatus.Ok);
    expect(await ends(Read, 9)).toBe(BioStatus.Medium);
    expect(await ends(Read, 12)).toBe(BioStatus.Ok);
    expect(await ends(Write, 10)).toBe(BioStatus.Ok);
    expect(await ends(Write, 19)).toBe(BioStatus.Target);
    disk.faults = null;
    const all = await contents(disk);
    expect(all.subarray(19 * 512, 21 * 512)).toEqual(new Uint8Array(1024));
  });
});

describe("the end of a bio", () => {
  it("comes as an interrupt, in the order that the scheduler chooses", () => {
    const scheduler = new VirtualScheduler({ interrupts: "queued" });
    const disk = ramDisk({ scheduler });
    const ends: number[] = [];
    for (const sector of [1, 2, 3]) {
      const bio = planBio({ op: Read, sector, sectors: 1 });
      bio.endIo = (done: Bio) => {
        expect(scheduler.inInterrupt).toBe(true);
        ends.push(done.sector);
      };
      disk.submitBio(bio);
    }
    expect(ends).toEqual([]);
    for (const index of [2, 0, 0]) scheduler.completeInterrupt(index);
    expect(ends).toEqual([3, 1, 2]);
  });

  it("keeps the status that a driver above put there when all is well", async () => {
    const bio = planBio({ op: Read, sector: 0, sectors: 1 });
    bio.status = BioStatus.Timeout;
    expect(await ended(ramDisk(), bio)).toBe(BioStatus.Timeout);
  });

  it("leaves an access for the explorer: reads commute, writes do not", async () => {
    const scheduler = new VirtualScheduler();
    const touch = vi.spyOn(scheduler, "touch");
    const disk = ramDisk({ scheduler });
    await ended(disk, planBio({ op: Read, sector: 0, sectors: 1 }));
    await ended(disk, planBio({ op: Write, sector: 0, sectors: 1 }));
    expect(touch.mock.calls.map(([{ object, mode }]) => [object, mode])).toEqual([
      [disk, AccessMode.Read],
      [disk, AccessMode.Write],
    ]);
  });
});

describe("a write cache", () => {
  it("sees the older data when a write comes, and every write before the flush that covers it", async () => {
    const story: string[] = [];
    const disk = ramDisk({
      writeCache: {
        submitted(bio, store) {
          const old = new Uint8Array(1);
          store.read(bio.sector * SECTOR_BYTES, old, 0, 1);
          story.push(`${String(bio)} over ${String(old[0])}`);
        },
        acknowledged: (bio) => void story.push(`${String(bio)} ended`),
      },
    });
    const bytes = new Uint8Array(512);
    await ended(disk, planBio({ op: Write, sector: 5, sectors: 1, data: bytes.fill(1) }));
    await ended(disk, planBio({ op: Write, sector: 5, sectors: 1, data: bytes.fill(2) }));
    await ended(disk, planBio({ op: Read, sector: 5, sectors: 1 }));
    await ended(disk, planBio({ op: Flush, sector: 0, sectors: 0 }));
    expect(disk.queue.limits.hasVolatileCache).toBe(true);
    expect(story).toEqual([
      "WRITE ram0 [5..6) over 0",
      "WRITE ram0 [5..6) ended",
      "WRITE ram0 [5..6) over 1",
      "WRITE ram0 [5..6) ended",
      "FLUSH ram0 [0..0) over 0",
      "FLUSH ram0 [0..0) ended",
    ]);
  });
});

describe("the holes of a RamDisk", () => {
  const look = (disk: RamDisk, sector: number, sectors: number): [number, number] => {
    const extent: Extent = { sectors, flags: 77, layer: ExtentLayer.Cow };
    disk.findExtent(sector, extent);
    return [extent.sectors, extent.flags];
  };

  it("are where nothing was written, and where a discard has come since", async () => {
    const disk = ramDisk({ sizeSectors: GIB_SECTORS });
    expect(look(disk, 5, 1000)).toEqual([1000, 3]);
    disk.poke(300, new Uint8Array(1024).fill(1));
    expect(look(disk, 5, 1000)).toEqual([251, 3]);
    expect(look(disk, 256, 1000)).toEqual([128, 0]);
    expect(look(disk, 300, 1)).toEqual([1, 0]);
    await ended(disk, planBio({ op: Discard, sector: 256, sectors: 128 }));
    expect(look(disk, 300, 1)).toEqual([1, 3]);
  });

  it("are not looked for without end", () => {
    const disk = ramDisk({ sizeSectors: GIB_SECTORS });
    disk.poke(0, new Uint8Array(512));
    expect(look(disk, 128, GIB_SECTORS - 128)).toEqual([128 * 128, 3]);
  });

  it("are not told while the disk is to fail", () => {
    const fault = { startSector: 0, sizeSectors: 1, status: BioStatus.Medium };
    const disk = ramDisk({ faults: failSectors(fault) });
    expect(look(disk, 8, 4)).toEqual([4, 0]);
  });
});
