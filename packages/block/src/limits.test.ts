import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BlockError,
  defaultLimits,
  type QueueLimits,
  stackingLimits,
  stackLimits,
  validateLimits,
} from "./index.ts";

describe("default limits", () => {
  it("are those of an old and careful disk", () => {
    expect(defaultLimits()).toMatchObject({
      maxSegments: 128,
      maxSectors: 255,
      maxHwSectors: 255,
      maxSegmentBytes: 65_536,
      segmentBoundaryMask: 0xffff_ffff,
      logicalBlockBytes: 512,
      physicalBlockBytes: 512,
      ioMinBytes: 512,
      dmaAlignmentMask: 511,
      chunkSectors: 0,
      maxDiscardSectors: 0,
      maxWriteZeroesSectors: 0,
    });
  });

  it("of a stacked device limit nothing, and claim neither discard nor secure erase", () => {
    expect(stackingLimits()).toMatchObject({
      maxSectors: Infinity,
      maxHwSectors: Infinity,
      maxSegments: 65_535,
      maxSegmentBytes: Infinity,
      maxWriteZeroesSectors: Infinity,
      maxDiscardSectors: 0,
      maxSecureEraseSectors: 0,
    });
  });

  it("are made anew each time, to be changed by whoever asked", () => {
    defaultLimits().maxSectors = 8;
    stackingLimits().maxSectors = 8;
    expect(defaultLimits().maxSectors).toBe(255);
    expect(stackingLimits().maxSectors).toBe(Infinity);
  });

  it("can be had by a device", () => {
    expect(() => {
      validateLimits(defaultLimits(), "sda");
      validateLimits(stackingLimits(), "md0");
    }).not.toThrow();
  });
});

describe("limits that no device can have", () => {
  it.each([
    [{ maxHwSectors: 7 }, "maxHwSectors 7 is less than a page of 8 sectors"],
    [{ maxHwSectors: NaN }, "maxHwSectors NaN is less than a page"],
    [{ maxSectors: 0 }, "maxSectors 0 is less than a logical block"],
    [{ maxSegments: 0 }, "maxSegments 0 is less than 1"],
    [{ chunkSectors: 96 }, "chunkSectors 96 is neither 0 nor a power of two"],
    [
      { chunkSectors: 4, logicalBlockBytes: 4096, physicalBlockBytes: 4096 },
      "chunkSectors 4 is neither 0",
    ],
    [{ logicalBlockBytes: 256 }, "logicalBlockBytes 256 is no power of two of 512..65536"],
    [{ logicalBlockBytes: 131_072 }, "logicalBlockBytes 131072 is no power of two"],
    [{ logicalBlockBytes: 1536 }, "logicalBlockBytes 1536 is no power of two"],
    [{ logicalBlockBytes: 4096 }, "physicalBlockBytes 512 is no power of two of at least"],
    [{ physicalBlockBytes: 3072 }, "physicalBlockBytes 3072 is no power of two"],
  ])("are refused: %j", (wrong, message) => {
    const limits = { ...defaultLimits(), ...wrong };
    const refusal = expect(() => {
      validateLimits(limits, "sda");
    });
    refusal.toThrow(BlockError);
    refusal.toThrow(expect.objectContaining({ code: "BLK_LIMITS", errno: "EINVAL" }));
    refusal.toThrow(`limits of sda: ${message}`);
  });

  it("may look odd and still be possible", () => {
    const limits = { ...defaultLimits(), chunkSectors: 2 ** 40, maxHwSectors: 8, maxSectors: 8 };
    expect(() => {
      validateLimits(limits, "sda");
    }).not.toThrow();
  });
});

describe("stacking", () => {
  const b1 = (): QueueLimits => ({
    ...defaultLimits(),
    logicalBlockBytes: 512,
    physicalBlockBytes: 4096,
    ioMinBytes: 4096,
    ioOptBytes: 65_536,
  });
  const b2 = (): QueueLimits => ({
    ...defaultLimits(),
    logicalBlockBytes: 4096,
    physicalBlockBytes: 4096,
    ioMinBytes: 16_384,
    ioOptBytes: 98_304,
  });

  it("gives block sizes that suit every lower device, and a common best size (T5.8)", () => {
    const top = stackingLimits();
    expect(stackLimits(top, b1(), 0)).toBe(0);
    expect(stackLimits(top, b2(), 0)).toBe(0);
    expect(top).toMatchObject({
      logicalBlockBytes: 4096,
      physicalBlockBytes: 4096,
      ioMinBytes: 16_384,
      ioOptBytes: 196_608,
      isMisaligned: false,
      alignmentOffsetBytes: 0,
    });
  });

  it("says so when a range begins one sector too late (T5.8)", () => {
    const top = stackingLimits();
    expect(stackLimits(top, b1(), 0)).toBe(0);
    expect(stackLimits(top, b1(), 1)).toBe(-1);
    expect(top.isMisaligned).toBe(true);
    expect(top.physicalBlockBytes).toBe(4096);
  });

  it("moves the first block to where a single lower device has it", () => {
    const top = stackingLimits();
    expect(stackLimits(top, b1(), 1)).toBe(0);
    expect(top.alignmentOffsetBytes).toBe(3584);
  });

  it("counts a partition's shift against the offset that the disk has itself", () => {
    const top = stackingLimits();
    expect(stackLimits(top, { ...b1(), alignmentOffsetBytes: 512 }, 1)).toBe(0);
    expect(top.alignmentOffsetBytes).toBe(0);
  });

  it("answers -1 only to the device that does not line up, but remembers it", () => {
    const top = stackingLimits();
    stackLimits(top, b1(), 0);
    expect(stackLimits(top, b1(), 1)).toBe(-1);
    // Blocks of one sector line up with anything.
    expect(stackLimits(top, defaultLimits(), 0)).toBe(0);
    expect(top.isMisaligned).toBe(true);
    const other = stackingLimits();
    expect(stackLimits(other, top, 0)).toBe(0);
    expect(other.isMisaligned).toBe(true);
  });

  it("does not line up with a range that begins inside a logical block", () => {
    const top = stackingLimits();
    const large = { ...defaultLimits(), logicalBlockBytes: 4096, physicalBlockBytes: 4096 };
    expect(stackLimits(top, { ...large, ioMinBytes: 4096 }, 1)).toBe(-1);
    expect(top).toMatchObject({ alignmentOffsetBytes: 3584, isMisaligned: true });
  });

  it.each([
    ["ioMinBytes", { ioMinBytes: 5120 }, 4096],
    ["ioOptBytes", { ioOptBytes: 5120 }, 0],
    ["physicalBlockBytes", { logicalBlockBytes: 8192, ioMinBytes: 8192, ioOptBytes: 0 }, 8192],
  ] as const)("repairs %s that promises what nobody keeps", (field, wrong, repaired) => {
    const top = stackingLimits();
    expect(stackLimits(top, { ...b1(), ...wrong }, 0)).toBe(-1);
    expect(top).toMatchObject({ [field]: repaired, isMisaligned: true });
  });

  it("takes 0 for no limit and no preference", () => {
    const top = stackingLimits();
    stackLimits(top, { ...defaultLimits(), chunkSectors: 128, maxDiscardSectors: 64 }, 0);
    stackLimits(top, { ...defaultLimits(), ioOptBytes: 4096 }, 0);
    expect(top).toMatchObject({ chunkSectors: 128, maxDiscardSectors: 64, ioOptBytes: 4096 });
  });

  it("writes zeroes only where every lower device can", () => {
    const top = stackingLimits();
    stackLimits(top, { ...defaultLimits(), maxWriteZeroesSectors: 64 }, 0);
    expect(top.maxWriteZeroesSectors).toBe(64);
    stackLimits(top, defaultLimits(), 0);
    expect(top.maxWriteZeroesSectors).toBe(0);
  });

  it("has a volatile cache when any has, FUA when all that need it have, no waiting when all", () => {
    const cached = { ...defaultLimits(), hasVolatileCache: true, hasFua: true, canNoWait: true };
    const top = stackingLimits();
    stackLimits(top, cached, 0);
    expect(top).toMatchObject({ hasVolatileCache: true, hasFua: true, canNoWait: true });
    stackLimits(top, defaultLimits(), 0);
    expect(top).toMatchObject({ hasVolatileCache: true, hasFua: true, canNoWait: false });
    stackLimits(top, { ...cached, hasFua: false }, 0);
    expect(top).toMatchObject({ hasVolatileCache: true, hasFua: false });
  });

  it("keeps the discard granules of a range where its disk has them", () => {
    const top = stackingLimits();
    const disk = { ...defaultLimits(), maxDiscardSectors: 1024, discardGranularityBytes: 4096 };
    stackLimits(top, disk, 3);
    expect(top).toMatchObject({ discardGranularityBytes: 4096, discardAlignmentBytes: 2560 });
  });

  const powerOfTwo = (from: number, to: number): fc.Arbitrary<number> =>
    fc.integer({ min: from, max: to }).map((exponent) => 2 ** exponent);
  const anyBottom: fc.Arbitrary<QueueLimits> = fc
    .record({
      logicalBlockBytes: powerOfTwo(9, 12),
      physicalBlockBytes: powerOfTwo(12, 14),
      ioMinBytes: powerOfTwo(14, 17),
      maxSectors: fc.integer({ min: 8, max: 4096 }),
      maxHwSectors: fc.integer({ min: 8, max: 4096 }),
      maxSegments: fc.integer({ min: 1, max: 256 }),
      maxSegmentBytes: fc.integer({ min: 4096, max: 1 << 20 }),
      segmentBoundaryMask: powerOfTwo(12, 32).map((size) => size - 1),
      chunkSectors: fc.oneof(fc.constant(0), powerOfTwo(3, 12)),
      maxDiscardSectors: fc.nat(4096),
      maxSecureEraseSectors: fc.nat(4096),
      maxWriteZeroesSectors: fc.nat(4096),
      discardGranularityBytes: fc.oneof(fc.constant(0), powerOfTwo(9, 16)),
      dmaAlignmentMask: powerOfTwo(0, 9).map((size) => size - 1),
      bounceFrame: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 1 << 20 })),
      hasVolatileCache: fc.boolean(),
      hasFua: fc.boolean(),
      canNoWait: fc.boolean(),
      isGapless: fc.boolean(),
    })
    .map((some) => ({ ...defaultLimits(), ...some }));

  it("comes to the same minima and maxima in whatever order the devices are taken", () => {
    const twoOrders = fc
      .array(anyBottom, { minLength: 1, maxLength: 5 })
      .chain((bottoms) =>
        fc.tuple(fc.constant(bottoms), fc.shuffledSubarray(bottoms, { minLength: bottoms.length })),
      );
    fc.assert(
      fc.property(twoOrders, ([oneOrder, otherOrder]) => {
        const [one, other] = [stackingLimits(), stackingLimits()];
        for (const bottom of oneOrder) stackLimits(one, bottom, 0);
        for (const bottom of otherOrder) stackLimits(other, bottom, 0);
        expect(other).toEqual(one);
        expect(() => {
          validateLimits(one, "md0");
        }).not.toThrow();
      }),
    );
  });

  it("never lets through what a lower device cannot take", () => {
    fc.assert(
      fc.property(fc.array(anyBottom, { minLength: 1, maxLength: 4 }), (bottoms) => {
        const top = stackingLimits();
        for (const bottom of bottoms) stackLimits(top, bottom, 0);
        for (const bottom of bottoms) {
          expect(top.maxSectors).toBeLessThanOrEqual(bottom.maxSectors);
          expect(top.maxSegments).toBeLessThanOrEqual(bottom.maxSegments);
          expect(top.logicalBlockBytes).toBeGreaterThanOrEqual(bottom.logicalBlockBytes);
          expect(top.canNoWait && !bottom.canNoWait).toBe(false);
        }
      }),
    );
  });
});
