import { defineTarget, MapResult, type QueueLimits, type Target } from "@blkstack/block";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";

const DISK: Partial<QueueLimits> = {
  maxDiscardSectors: 64,
  discardGranularityBytes: 4096,
  discardAlignmentBytes: 512,
  maxWriteZeroesSectors: 32,
  maxSecureEraseSectors: 16,
};
const NO_DISCARDS: Partial<QueueLimits> = {
  maxDiscardSectors: 0,
  discardGranularityBytes: 0,
  discardAlignmentBytes: 0,
};

/** Kinds of targets over the front of `a`, and what they say of themselves. */
const KINDS: Readonly<Record<string, Partial<Target>>> = {
  all: { flushBios: 1, discardBios: 1, writeZeroesBios: 1, secureEraseBios: 1 },
  discards: { flushBios: 1, discardBios: 1 },
  zeroes: { flushBios: 1, writeZeroesBios: 1 },
  erases: { flushBios: 1, secureEraseBios: 1 },
  bare: { devices: () => [] },
  coarse: {
    devices: () => [],
    adjustLimits: (limits) => {
      limits.logicalBlockBytes = 4096;
      limits.physicalBlockBytes = 4096;
      limits.ioMinBytes = 4096;
    },
  },
  flushless: { discardBios: 1, writeZeroesBios: 1, secureEraseBios: 1 },
};

const types = Object.entries(KINDS).map(([name, declared]) =>
  defineTarget({
    name,
    version: [1, 0, 0],
    apiVersion: 1,
    create({ openDevice, sizeSectors }) {
      const range = { device: openDevice("a"), startSector: 0, sizeSectors };
      return { map: () => MapResult.Kill, status: () => "", devices: () => [range], ...declared };
    },
  }),
);

/** Of a device with a line of each of these kinds. */
async function limitsOver(
  disk: Partial<QueueLimits>,
  ...kinds: readonly string[]
): Promise<QueueLimits> {
  const bench = new Bench({ types });
  bench.a.queue.limits = { ...bench.a.queue.limits, ...disk };
  await bench.create("md", ...kinds.map((kind, index) => `${String(index * 8)} 8 ${kind}`));
  return bench.dm.get("md").queue.limits;
}

it("what all lines take the device takes, as much as the disk below", async () => {
  expect(await limitsOver(DISK, "all", "all")).toMatchObject({ ...DISK, hasVolatileCache: true });
});

it("what one line does not take the device does not", async () => {
  const [noZeroes, noErases] = [{ maxWriteZeroesSectors: 0 }, { maxSecureEraseSectors: 0 }];
  expect(await limitsOver(DISK, "all", "discards")).toMatchObject({
    ...DISK,
    ...noZeroes,
    ...noErases,
  });
  expect(await limitsOver(DISK, "zeroes", "all")).toMatchObject({
    ...DISK,
    ...NO_DISCARDS,
    ...noErases,
  });
  expect(await limitsOver(DISK, "all", "erases", "all")).toMatchObject({
    ...DISK,
    ...NO_DISCARDS,
    ...noZeroes,
  });
});

it("where a disk takes no discards the device takes none, whatever its targets say", async () => {
  const limits = await limitsOver({ ...DISK, maxDiscardSectors: 0 }, "all");
  expect(limits).toMatchObject(NO_DISCARDS);
});

it("over targets that take no flushes nothing is volatile, unless another line has such", async () => {
  expect((await limitsOver(DISK, "flushless")).hasVolatileCache).toBe(false);
  expect((await limitsOver(DISK, "flushless", "all")).hasVolatileCache).toBe(true);
});

it("a line that does not begin and end with blocks of the disks below others is refused", async () => {
  const tableOver4KiB = async (...lines: readonly string[]): Promise<Bench> => {
    const bench = new Bench({ types });
    const size = { logicalBlockBytes: 4096, physicalBlockBytes: 4096, ioMinBytes: 4096 };
    bench.a.queue.limits = { ...bench.a.queue.limits, ...size };
    await bench.create("md", ...lines);
    return bench;
  };
  const bench = await tableOver4KiB("0 8 all", "8 8 bare", "16 8 all");
  expect(bench.dm.get("md").queue.limits.logicalBlockBytes).toBe(4096);
  for (const lines of [["8 4 bare"], ["8 4 bare", "12 4 bare"]]) {
    await expect(tableOver4KiB("0 8 all", ...lines)).rejects.toMatchObject({
      code: "BLK_TABLE",
      errno: "EINVAL",
      lineNumber: 2,
      message: "table line 2: not aligned to the logical block size 4096",
      kernelLog: [
        "table: 253:0: table line 2 not aligned to the logical block size 4096",
        "core: Cannot calculate initial queue limits",
        "ioctl: unable to set up device queue for new table.",
      ],
    });
  }
  await expect(tableOver4KiB("0 4 bare", "4 8 all")).rejects.toMatchObject({ lineNumber: 1 });
});

it("blocks that a target asks for are cut where a line begins, not where the device ends", async () => {
  const alone = new Bench({ types });
  await alone.create("md", "0 9 coarse");
  expect(alone.dm.get("md").sizeSectors).toBe(9);
  await expect(new Bench({ types }).create("md", "0 9 coarse", "9 7 bare")).rejects.toMatchObject({
    lineNumber: 1,
  });
});

it("a target that stands on no device may take discards", async () => {
  const declared = { discardBios: 1, takesNoWait: true };
  const type = defineTarget({
    name: "memory",
    version: [1, 0, 0],
    apiVersion: 1,
    create: () => ({
      ...declared,
      map: () => MapResult.Kill,
      status: () => "",
      adjustLimits: (limits) => {
        limits.maxDiscardSectors = 8;
      },
    }),
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", "0 8 memory");
  const { limits } = bench.dm.get("md").queue;
  expect(limits).toMatchObject({ maxDiscardSectors: 8, canNoWait: true });
});

it("a line takes discards where all its disks do", async () => {
  const bench = new Bench({
    types: [
      defineTarget({
        name: "both",
        version: [1, 0, 0],
        apiVersion: 1,
        create({ openDevice, sizeSectors }) {
          const range = (name: string) => ({
            device: openDevice(name),
            startSector: 0,
            sizeSectors,
          });
          const ranges = [range("a"), range("b")];
          return {
            map: () => MapResult.Kill,
            status: () => "",
            devices: () => ranges,
            discardBios: 1,
            // Stacking made it 0 already; a target may know better, but not against its disks.
            adjustLimits: (limits) => {
              limits.maxDiscardSectors = 8;
            },
          };
        },
      }),
    ],
  });
  await bench.create("md", "0 8 both");
  expect(bench.dm.get("md").queue.limits.maxDiscardSectors).toBe(8);
  bench.b.queue.limits = { ...bench.b.queue.limits, maxDiscardSectors: 0 };
  await bench.create("less", "0 8 both");
  expect(bench.dm.get("less").queue.limits).toMatchObject(NO_DISCARDS);
});
