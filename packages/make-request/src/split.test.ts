import { type Bio, bioEndio, BioFlag, BioOp, createVecs, isChained } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { defaultLimits, type QueueLimits, stackingLimits } from "@blkstack/block";
import { allFail, Memory } from "@blkstack/memory";
import type { Awaitable, Gfp, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { bioFor, type BioWish, Ends, endAtOnce, Gate, TestDevice } from "../test/test-device.ts";
import { MakeRequest, SplitSetPerDevice } from "./index.ts";
import { splitSectors, surelyFits } from "./split-sectors.ts";

let scheduler: VirtualScheduler;
let memory: Memory;
let fronts: BioSet;
let submitter: MakeRequest;
let ends: Ends;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  memory = new Memory({ scheduler });
  fronts = new BioSet({ name: "fronts", scheduler, memory, poolSize: 1 });
  submitter = new MakeRequest({ split: { set: fronts } });
  ends = new Ends();
});

/** What a driver sees of one bio: `(sector,sectors)` of each piece. */
async function pieces(limits: Partial<QueueLimits>, wish: BioWish): Promise<string> {
  const device = new TestDevice("sda", endAtOnce, { limits });
  const seen: string[] = [];
  device.driver = (bio) => {
    seen.push(`(${String(bio.sector)},${String(bio.sectors)})`);
    bioEndio(bio);
  };
  const bio = ends.watch(bioFor(device, wish), "bio");
  await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
  return seen.join(" ");
}

describe("cutting to limits (T5.7)", () => {
  it("begins every piece of a discard but the first at a granule", async () => {
    const limits = { maxDiscardSectors: 100, discardGranularityBytes: 8 * 512 };
    const wish = { op: BioOp.Discard, sector: 3, sectors: 300 };
    expect(await pieces(limits, wish)).toBe("(3,93) (96,96) (192,96) (288,15)");
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("ends pieces at the lines of chunks", async () => {
    const limits = { chunkSectors: 128, logicalBlockBytes: 4096, physicalBlockBytes: 4096 };
    expect(await pieces(limits, { sector: 100, sectors: 400 })).toBe(
      "(100,28) (128,128) (256,128) (384,116)",
    );
  });

  it("ends pieces with whole physical blocks", async () => {
    const limits = { physicalBlockBytes: 4096 };
    expect(await pieces(limits, { sector: 3, sectors: 600 })).toBe("(3,253) (256,248) (504,99)");
  });
});

describe("cutting", () => {
  it("leaves a discard whole whose limit is less than a granule", async () => {
    const limits = { maxDiscardSectors: 4, discardGranularityBytes: 4096 };
    expect(await pieces(limits, { op: BioOp.Discard, sectors: 300 })).toBe("(0,300)");
  });

  it("counts granules from where they begin on the device", async () => {
    const limits = {
      maxDiscardSectors: 96,
      discardGranularityBytes: 8 * 512,
      discardAlignmentBytes: 3 * 512,
    };
    expect(await pieces(limits, { op: BioOp.Discard, sector: 3, sectors: 100 })).toBe(
      "(3,96) (99,4)",
    );
  });

  it("goes by the limit of each operation", async () => {
    const limits = { maxWriteZeroesSectors: 100, maxSecureEraseSectors: 150 };
    expect(await pieces(limits, { op: BioOp.WriteZeroes, sectors: 250 })).toBe(
      "(0,100) (100,100) (200,50)",
    );
    expect(await pieces(limits, { op: BioOp.SecureErase, sectors: 250 })).toBe("(0,150) (150,100)");
    expect(
      await pieces(
        { maxWriteZeroesSectors: Infinity },
        {
          op: BioOp.WriteZeroes,
          sectors: 70_000,
        },
      ),
    ).toBe("(0,70000)");
  });

  it("falls back on logical blocks where the limit is smaller than a physical one", async () => {
    const limits = { maxSectors: 6, logicalBlockBytes: 1024, physicalBlockBytes: 4096 };
    expect(await pieces(limits, { sectors: 16 })).toBe("(0,6) (6,2) (8,6) (14,2)");
  });

  it("stops before the vector that would be one segment too many", async () => {
    expect(await pieces({ maxSegments: 3 }, { sectors: 56 })).toBe("(0,24) (24,24) (48,8)");
  });

  it("never gives a device more than it can do, whatever the soft limit says", async () => {
    expect(await pieces({ maxHwSectors: 8 }, { sectors: 20 })).toBe("(0,8) (8,8) (16,4)");
  });

  it("leaves a flush alone that has no data", async () => {
    const limits = { hasVolatileCache: true, chunkSectors: 8 };
    expect(await pieces(limits, { sectors: 0, flags: BioFlag.Preflush })).toBe("(0,0)");
  });

  it("keeps the flags in every piece, and lets no front be merged (LIM-4)", async () => {
    const device = new TestDevice("sda", endAtOnce, {
      limits: { maxSectors: 8, hasVolatileCache: true },
    });
    const flags: number[] = [];
    device.driver = (bio) => {
      flags.push(bio.flags);
      bioEndio(bio);
    };
    const bio = ends.watch(bioFor(device, { sectors: 16, flags: BioFlag.Fua }), "bio");
    await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    expect(flags).toEqual([BioFlag.Fua | BioFlag.NoMerge, BioFlag.Fua]);
  });

  it("parks the rest first, and all that the front brings about comes before it (LIM-4)", async () => {
    const disk = new TestDevice("sda");
    const story: string[] = [];
    const md = new TestDevice(
      "md0",
      (bio, task) => {
        story.push(`md0 ${String(bio.sector)} rest ${String([...task.ownBioLists.current])}`);
        bio.device = disk;
        return submitter.submitBio(bio, task);
      },
      { limits: { maxSectors: 8 } },
    );
    disk.driver = (bio) => {
      story.push(`sda ${String(bio.sector)}`);
      bioEndio(bio);
    };
    const bio = ends.watch(bioFor(md, { sectors: 24 }), "bio");
    await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    expect(story).toEqual([
      "md0 0 rest WRITE md0 [8..24)",
      "sda 0",
      "md0 8 rest WRITE md0 [16..24)",
      "sda 8",
      "md0 16 rest ",
      "sda 16",
    ]);
    expect(ends.log).toEqual(["bio OK"]);
  });

  it("makes one front less than pieces, and the first error is the bio's (LIM-5)", async () => {
    const kept: Bio[] = [];
    const device = new TestDevice("sda", (bio) => void kept.push(bio), {
      limits: { maxSectors: 8 },
    });
    const bio = ends.watch(bioFor(device, { sectors: 32 }), "bio");
    await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    expect(kept).toHaveLength(4);
    expect(kept.filter(isChained)).toHaveLength(3);
    expect(kept.at(-1)).toBe(bio);
    expect(bio.remaining).toBe(4);

    const [first, second, third] = kept;
    bioEndio(bio);
    if (third !== undefined) {
      third.status = 10;
      bioEndio(third);
    }
    for (const front of [first, second]) if (front !== undefined) bioEndio(front);
    expect(ends.log).toEqual(["bio EIO"]);
    expect(fronts.bioPool.blockers()).toEqual([]);
  });

  it("is not for a bio that must not wait: it is sent away whole", async () => {
    expect(await pieces({ maxSectors: 8 }, { sectors: 16, flags: BioFlag.NoWait })).toBe("");
    expect(ends.log).toEqual(["bio EAGAIN"]);
  });

  it("fails a bio that has no place to be cut at", async () => {
    const limits = {
      maxSegments: 1,
      logicalBlockBytes: 4096,
      physicalBlockBytes: 4096,
    };
    const device = new TestDevice("sda", endAtOnce, { limits });
    const bio = ends.watch(bioFor(device, { sectors: 8 }), "bio");
    const page = { bytes: new Uint8Array(0), frame: 0 };
    bio.vecs = [0, 1].map((half) => ({ page, offset: half * 3072, length: 2048 }));
    await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    expect(ends.log).toEqual(["bio EIO"]);
    expect(device.seen).toEqual([]);
  });
});

describe("a set of fronts without any memory behind it", () => {
  it("of one is enough for any number of pieces, each ending some time after it began", async () => {
    memory.faultPlan = allFail;
    const device = new TestDevice("sda", endAtOnce, { limits: { maxSectors: 8 } });
    device.driver = (bio) => {
      const source = { label: "irq", blockers: () => [], isRetry: false };
      scheduler.startTimer(
        {
          ...source,
          fire: () => {
            bioEndio(bio);
          },
        },
        10,
      );
    };
    const bio = ends.watch(bioFor(device, { sectors: 80 }), "bio");
    const task = scheduler.spawn("t", (self) => submitter.submitBio(bio, self));
    await scheduler.advance(0);
    expect(device.seen).toHaveLength(1);
    expect(task.bioLists).toBe(task.ownBioLists);
    await scheduler.advance(200);
    expect(device.seen).toHaveLength(10);
    expect(ends.log).toEqual(["bio OK"]);
    expect(task.bioLists).toBeNull();
    expect(device.queue.users).toBe(0);
  });

  const stackOfTwo = (): TestDevice => {
    const disk = new TestDevice("sda", endAtOnce, { limits: { maxSectors: 8 } });
    return new TestDevice(
      "md0",
      (bio, task) => {
        bio.device = disk;
        return submitter.submitBio(bio, task);
      },
      { limits: { maxSectors: 16 } },
    );
  };

  it("is enough for a stack of devices that cut, if each has its own", async () => {
    const split = new SplitSetPerDevice({ scheduler, memory, poolSize: 1 });
    submitter = new MakeRequest({ split });
    const md = stackOfTwo();
    const warmUp = ends.watch(bioFor(md, { sectors: 64 }), "warm-up");
    await scheduler.perform("t", (task) => submitter.submitBio(warmUp, task));
    memory.faultPlan = allFail;
    const bio = ends.watch(bioFor(md, { sectors: 64 }), "bio");
    await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    expect(ends.log).toEqual(["warm-up OK", "bio OK"]);
  });

  it("hangs for ever when two levels of a stack share it", async () => {
    memory.faultPlan = allFail;
    const bio = ends.watch(bioFor(stackOfTwo(), { sectors: 64 }), "bio");
    scheduler.spawn("t", (task) => submitter.submitBio(bio, task));
    await scheduler.advance(60_000);
    expect(ends.log).toEqual([]);
  });

  it("that cannot be made any more fails the bio, and only that", async () => {
    const split = new SplitSetPerDevice({ scheduler, memory });
    submitter = new MakeRequest({ split });
    const device = new TestDevice("sda", endAtOnce, { limits: { maxSectors: 8 } });
    memory.faultPlan = allFail;
    const submit = async (): Promise<void> => {
      const bio = ends.watch(bioFor(device, { sectors: 16 }), "bio");
      await scheduler.perform("t", (task) => submitter.submitBio(bio, task));
    };
    await submit();
    memory.faultPlan = null;
    await submit();
    expect(ends.log).toEqual(["bio ENOMEM", "bio OK"]);
    const first = split.setOf(device);
    await scheduler.perform("t", (task) => split.forget(device, task));
    expect(split.setOf(device)).not.toBe(first);
  });
});

describe("cutting while asleep", () => {
  it("survives a driver that has a defect, also behind a wait for the front", async () => {
    const gate = new Gate();
    const late = {
      split: async (bio: Bio, sectors: number, gfp: Gfp, task: Task) => {
        await gate.pass(task);
        return fronts.split(bio, sectors, gfp, task);
      },
    };
    submitter = new MakeRequest({ split: { set: late } });
    const defect = new Error("off by one");
    const device = new TestDevice(
      "sda",
      (): Awaitable<void> => {
        throw defect;
      },
      { limits: { maxSectors: 8 } },
    );
    const bio = ends.watch(bioFor(device, { sectors: 16 }), "bio");
    const submitting = scheduler.perform("t", async (task) => {
      await expect((async () => submitter.submitBio(bio, task))()).rejects.toBe(defect);
      expect(task.bioLists).toBeNull();
      expect(task.ownBioLists.isEmpty).toBe(true);
      return device.queue.users;
    });
    scheduler.spawn("opener", () => {
      gate.open();
    });
    expect(await submitting).toBe(0);
  });
});

describe("segments", () => {
  interface Stretch {
    readonly page: number;
    readonly offset: number;
    readonly length: number;
  }
  const bioOf = (stretches: readonly Stretch[]): Bio => {
    const pages = new Map<number, { bytes: Uint8Array; frame: number }>();
    const device = new TestDevice("sda");
    const bio = bioFor(device, { sectors: 0 });
    bio.vecs = stretches.map(({ page, offset, length }) => {
      const known = pages.get(page) ?? { bytes: new Uint8Array(0), frame: page };
      pages.set(page, known);
      return { page: known, offset, length };
    });
    bio.sizeBytes = stretches.reduce((sum, { length }) => sum + length, 0);
    return bio;
  };
  const sectorsOf = (stretches: readonly Stretch[], limits: Partial<QueueLimits>): number =>
    splitSectors(bioOf(stretches), { ...stackingLimits(), ...limits });

  it("of one page object that continue each other are one", () => {
    const halves = [
      { page: 1, offset: 0, length: 2048 },
      { page: 1, offset: 2048, length: 2048 },
      { page: 2, offset: 0, length: 4096 },
    ];
    expect(sectorsOf(halves, { maxSegments: 1 })).toBe(8);
    expect(sectorsOf(halves, { maxSegments: 2 })).toBe(16);
  });

  it("of neighbouring page objects are two", () => {
    const pages = [1, 2].map((page) => ({ page, offset: 0, length: 4096 }));
    expect(sectorsOf(pages, { maxSegments: 1 })).toBe(8);
  });

  it("end at their largest size and at boundaries, even inside a vector", () => {
    const large = [{ page: 4, offset: 0, length: 65_536 }];
    expect(sectorsOf(large, { maxSegments: 3, maxSegmentBytes: 16_384 })).toBe(96);
    expect(sectorsOf(large, { maxSegments: 2, segmentBoundaryMask: 32_767 })).toBe(96);
  });

  it("do not grow beyond their largest size by continuing each other", () => {
    const parts = [0, 1, 2, 3].map((part) => ({ page: 0, offset: part * 4096, length: 4096 }));
    expect(sectorsOf(parts, { maxSegments: 1, maxSegmentBytes: 8192 })).toBe(16);
    expect(sectorsOf(parts, { maxSegments: 1, segmentBoundaryMask: 8191 })).toBe(16);
  });

  it("stand with no gap between them where the device wants it so", () => {
    const gapless = { isGapless: true };
    const at = (page: number, offset: number, length: number): Stretch => ({
      page,
      offset,
      length,
    });
    expect(sectorsOf([at(1, 2048, 2048), at(2, 0, 4096), at(3, 0, 512)], gapless)).toBe(13);
    expect(sectorsOf([at(1, 0, 2048), at(2, 0, 4096)], gapless)).toBe(4);
    expect(sectorsOf([at(1, 0, 4096), at(2, 512, 512)], gapless)).toBe(8);
    expect(sectorsOf([at(1, 0, 512), at(1, 512, 512)], gapless)).toBe(2);
  });

  it("are counted from where the bio stands, not from the beginning of its table", () => {
    const bio = bioOf([1, 2, 3].map((page) => ({ page, offset: 0, length: 4096 })));
    bio.advance(4096 + 512);
    expect(splitSectors(bio, { ...stackingLimits(), maxSegments: 1 })).toBe(7);
    expect(splitSectors(bio, { ...stackingLimits(), maxSegments: 2 })).toBe(15);
  });

  const anyLimits: fc.Arbitrary<QueueLimits> = fc
    .record({
      maxSectors: fc.integer({ min: 8, max: 64 }),
      chunkSectors: fc.constantFrom(0, 8, 16, 32),
      physicalBlockBytes: fc.constantFrom(512, 1024, 4096),
      maxSegments: fc.integer({ min: 1, max: 4 }),
      maxSegmentBytes: fc.constantFrom(4096, 6144, 65_536),
      segmentBoundaryMask: fc.constantFrom(4095, 16_383, 0xffff_ffff),
    })
    .map((some) => ({ ...defaultLimits(), ...some }));
  const anyStretches = fc.array(
    fc.record({
      page: fc.nat(3),
      offset: fc.constantFrom(0, 512, 1024, 4096),
      length: fc.integer({ min: 1, max: 20 }).map((sectors) => sectors * 512),
    }),
    { minLength: 1, maxLength: 8 },
  );

  /** The slow and obvious count: sector by sector. */
  function countSegments(bio: Bio, sectors: number, limits: QueueLimits): number {
    let count = 0;
    let length = 0;
    let end = null as { page: unknown; byte: number } | null;
    const table = bio.vecs.flatMap((vec) =>
      Array.from({ length: vec.length / 512 }, (_, index) => ({
        page: vec.page,
        byte: vec.offset + index * 512,
      })),
    );
    for (const { page, byte } of table.slice(0, sectors)) {
      const address = page.frame * 4096 + byte;
      const continues =
        end?.page === page &&
        end.byte === byte &&
        length + 512 <= limits.maxSegmentBytes &&
        address % (limits.segmentBoundaryMask + 1) !== 0;
      if (!continues) [count, length] = [count + 1, 0];
      length += 512;
      end = { page, byte: byte + 512 };
    }
    return count;
  }

  it("of the first piece keep to the limits, and one sector more would not", () => {
    fc.assert(
      fc.property(anyStretches, anyLimits, fc.nat(64), (stretches, limits, sector) => {
        const bio = bioOf(stretches);
        bio.sector = sector;
        const first = splitSectors(bio, limits);
        expect(first).toBeGreaterThan(0);
        expect(first).toBeLessThanOrEqual(limits.maxSectors);
        expect(countSegments(bio, first, limits)).toBeLessThanOrEqual(limits.maxSegments);
        const { chunkSectors } = limits;
        if (chunkSectors > 0)
          expect((sector % chunkSectors) + first).toBeLessThanOrEqual(chunkSectors);
        if (surelyFits(bio, limits)) expect(first).toBe(bio.sectors);
        if (first === bio.sectors) return;
        const physical = limits.physicalBlockBytes / 512;
        const isFull =
          first + physical > limits.maxSectors ||
          (chunkSectors > 0 && (sector + first) % chunkSectors === 0) ||
          countSegments(bio, first + 1, limits) > limits.maxSegments;
        expect(isFull).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("cover a bio piece by piece, each sector once", () => {
    fc.assert(
      fc.property(anyStretches, anyLimits, fc.nat(64), (stretches, limits, sector) => {
        const bio = bioOf(stretches);
        bio.sector = sector;
        const total = bio.sectors;
        let covered = 0;
        while (bio.sizeBytes > 0) {
          const piece = splitSectors(bio, limits);
          expect(piece).toBeGreaterThan(0);
          covered += piece;
          bio.advance(piece * 512);
        }
        expect(covered).toBe(total);
      }),
    );
  });

  it("of a bio that a few compares find fitting do fit", () => {
    const narrowLimits = fc
      .record({
        maxSectors: fc.integer({ min: 8, max: 96 }),
        chunkSectors: fc.constantFrom(0, 0, 16),
        physicalBlockBytes: fc.constantFrom(512, 4096),
        maxSegments: fc.integer({ min: 1, max: 4 }),
        maxSegmentBytes: fc.constantFrom(4096, 8192, 65_536),
        segmentBoundaryMask: fc.constantFrom(4095, 8191, 16_383, 65_535),
        isGapless: fc.boolean(),
      })
      .map((some) => ({ ...defaultLimits(), ...some }));
    const fewStretches = fc.array(
      fc.record({
        page: fc.nat(1),
        offset: fc.constantFrom(0, 512, 3584),
        length: fc.integer({ min: 1, max: 48 }).map((sectors) => sectors * 512),
      }),
      { minLength: 1, maxLength: 2 },
    );
    let fitting = 0;
    fc.assert(
      fc.property(fewStretches, narrowLimits, fc.nat(16), (stretches, limits, sector) => {
        const bio = bioOf(stretches);
        bio.sector = sector;
        if (!surelyFits(bio, limits)) return;
        fitting += 1;
        expect(splitSectors(bio, limits)).toBe(bio.sectors);
      }),
      { numRuns: 3000 },
    );
    expect(fitting).toBeGreaterThan(100);
  });

  it("of a table with unused room do not count", () => {
    const bio = bioOf([{ page: 1, offset: 0, length: 4096 }]);
    bio.vecs.push(...createVecs(255));
    expect(surelyFits(bio, defaultLimits())).toBe(false);
    expect(splitSectors(bio, defaultLimits())).toBe(8);
  });
});
