import { BioOp, BioStatus, PAGE_BYTES } from "@blkstack/bio";
import { failsAt, failsTheNth, GFP_ATOMIC, GFP_KERNEL } from "@blkstack/memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesOf,
  CountingBouncer,
  dataOf,
  entry,
  highPage,
  page,
  Setting,
  shapeOf,
} from "../test/setting.ts";
import type { SgList } from "./index.ts";

const EIO = -5;
const ENOMEM = -12;
const EINVAL = -22;
const NOTHING = { bios: 0, pages: 0, copies: 0 };

/** A request of which nothing is left. */
const EMPTY = { dataBytes: 0, segments: 0, hasTailRoom: false, copy: null, status: BioStatus.Ok };

function threePages(fill = 1): SgList {
  return [1, 2, 3].map((index) => entry(page(fill * index)));
}

describe("memory that the device can use", () => {
  it("becomes one bio with the very pages, in order", async () => {
    const setting = new Setting();
    const request = setting.request();
    const list = threePages();
    expect(await setting.map(request, list, GFP_KERNEL)).toBe(0);
    expect(shapeOf(request)).toEqual([[3, 8]]);
    expect(request).toMatchObject({ dataBytes: 12_288, segments: 3, hasTailRoom: false });
    expect(request.bios.head?.vecs.slice(0, 3).map((vec) => vec.page)).toEqual(
      list.map((each) => each.page),
    );
  });

  it("becomes as many bios as its pieces need, each where the last one ends", async () => {
    const setting = new Setting({ vecsPerBio: 2 });
    const request = setting.request();
    expect(await setting.map(request, threePages(), GFP_KERNEL)).toBe(0);
    expect(shapeOf(request)).toEqual([
      [2, 8],
      [1, 24],
    ]);
  });

  it("is moved, and all of it is let go of when the last bio has ended", async () => {
    const setting = new Setting({ vecsPerBio: 1 });
    const list = threePages();
    const request = setting.request(BioOp.Read);
    const status = await setting.run(request, list, GFP_KERNEL, () => {
      expect(setting.disk.held).toHaveLength(3);
      setting.disk.end(9);
    });
    expect(status).toBe(BioStatus.Ok);
    expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("may be an entry over several frames", async () => {
    const setting = new Setting();
    const request = setting.request();
    const long = { bytes: new Uint8Array(3 * PAGE_BYTES).fill(4), frame: 4 };
    expect(await setting.map(request, [entry(long, 512, 2 * PAGE_BYTES)], GFP_KERNEL)).toBe(0);
    expect(request).toMatchObject({ dataBytes: 8192, segments: 1 });
    expect(dataOf(request.bios)).toHaveLength(8192);
  });
});

describe("memory that the device cannot use as it lies", () => {
  const odd = (fill: number): SgList => [
    entry(page(fill), 3, 4000),
    entry(page(fill + 1), 100, 96),
    entry(page(fill + 2)),
  ];

  it("is copied before it is written", async () => {
    const setting = new Setting();
    const request = setting.request();
    const list = odd(5);
    const status = await setting.run(request, list, GFP_KERNEL, () => {
      expect(request.hasTailRoom).toBe(true);
      expect(dataOf(setting.disk.held)).toEqual(bytesOf(list));
      setting.disk.end(0);
    });
    expect(status).toBe(BioStatus.Ok);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("has what was read, to its last byte", async () => {
    const setting = new Setting({ vecsPerBio: 1 });
    const list = odd(5);
    const request = setting.request(BioOp.Read);
    const status = await setting.run(request, list, GFP_KERNEL, () => {
      setting.disk.end(9);
    });
    expect(status).toBe(BioStatus.Ok);
    expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
    expect(list[0]?.page.bytes[2]).toBe(5);
    expect(setting.missing).toEqual(NOTHING);
  });

  it.each([0, 1, 2])("is left alone when bio %i of 3 fails and the others succeed", async (bad) => {
    const setting = new Setting({ vecsPerBio: 1 });
    const list = [entry(page(5), 3, 4093), entry(page(5)), entry(page(5), 0, 4099 - 4096)];
    const long = [...list, entry(page(5))];
    const before = bytesOf(long);
    const status = await setting.run(setting.request(BioOp.Read), long, GFP_KERNEL, () => {
      expect(setting.disk.held).toHaveLength(3);
      setting.disk.end(9, (index) => (index === bad ? BioStatus.Medium : BioStatus.Ok));
    });
    expect(status).toBe(BioStatus.Medium);
    expect(bytesOf(long)).toEqual(before);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("is memory of a length that the device pads, unless there is room behind it", async () => {
    const setting = new Setting({ padMask: 3 });
    const fits = setting.request();
    expect(await setting.map(fits, [entry(page(), 0, 1000)], GFP_KERNEL)).toBe(0);
    expect(fits.hasTailRoom).toBe(false);
    const copied = setting.request();
    expect(await setting.map(copied, [entry(page(), 0, 1001)], GFP_KERNEL)).toBe(0);
    expect(copied).toMatchObject({ hasTailRoom: true, dataBytes: 1001 });
    const promised = setting.request();
    promised.hasRoomBehind = true;
    expect(await setting.map(promised, [entry(page(), 0, 1001)], GFP_KERNEL)).toBe(0);
    expect(promised.copy).toBeNull();
  });
});

describe("a request that cannot be made", () => {
  it("is refused when there is nothing to map", async () => {
    const setting = new Setting();
    expect(await setting.map(setting.request(), [], GFP_KERNEL)).toBe(EINVAL);
    expect(await setting.map(setting.request(), [entry(page(), 0, 0)], GFP_KERNEL)).toBe(EINVAL);
    expect(setting.scheduler.warnings).toHaveLength(2);
  });

  it("is as before when the device does not take so many segments, and no copy is tried", async () => {
    const setting = new Setting({ limits: { maxSegments: 2 } });
    const request = setting.request();
    expect(await setting.map(request, threePages(), GFP_KERNEL)).toBe(EINVAL);
    expect(request).toMatchObject(EMPTY);
    expect(request.bios.isEmpty).toBe(true);
    expect(setting.pages.counters.allocations).toBe(0);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("is as before when the device takes no gap between its bios", async () => {
    const setting = new Setting({ limits: { isGapless: true } });
    const list = [entry(page(), 0, 512), entry(page(), 0, 512)];
    expect(await setting.map(setting.request(), list, GFP_KERNEL)).toBe(EINVAL);
    const whole = [entry(page(), 512, PAGE_BYTES - 512), entry(page()), entry(page(), 0, 512)];
    expect(await setting.map(setting.request(), whole, GFP_KERNEL)).toBe(0);
  });

  it("is an I/O error when the device takes not even the first piece", async () => {
    const setting = new Setting({ limits: { maxSegments: 1, maxSegmentBytes: 1024 } });
    expect(await setting.map(setting.request(), threePages(), GFP_KERNEL)).toBe(EIO);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("lacks the memory for its second bio: no copy is tried, for it would need more", async () => {
    const setting = new Setting({ vecsPerBio: 1 });
    setting.memory.faultPlan = failsAt(["heap"], failsTheNth(2));
    const request = setting.request();
    expect(await setting.map(request, threePages(), GFP_KERNEL)).toBe(ENOMEM);
    expect(request).toMatchObject(EMPTY);
    expect(setting.pages.counters.allocations).toBe(0);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("lacks the memory to remember a copy, and says so", async () => {
    const setting = new Setting();
    setting.memory.faultPlan = failsAt(["copies of requests"]);
    expect(await setting.map(setting.request(), [entry(page(), 3)], GFP_KERNEL)).toBe(ENOMEM);
    expect(setting.missing).toEqual(NOTHING);
  });

  it("is given up by its owner before it was issued: a read brings nothing", async () => {
    for (const list of [threePages(7), [entry(page(7), 3, 4093), entry(highPage(7))]]) {
      const setting = new Setting({ bouncer: new CountingBouncer(9), vecsPerBio: 1 });
      const request = setting.request(BioOp.Read);
      const before = bytesOf(list);
      expect(await setting.map(request, list, GFP_KERNEL)).toBe(0);
      setting.mapper.unmapKernSg(request, ENOMEM);
      expect(request).toMatchObject(EMPTY);
      expect(bytesOf(list)).toEqual(before);
      expect(setting.missing).toEqual(NOTHING);
    }
  });
});

describe("memory out of reach", () => {
  const high = (count: number): SgList => Array.from({ length: count }, () => entry(highPage(6)));

  it("is bounced bio by bio, and all stand-ins come back", async () => {
    const bouncer = new CountingBouncer(3);
    const setting = new Setting({ bouncer, vecsPerBio: 1 });
    const list = high(3);
    const status = await setting.run(setting.request(BioOp.Read), list, GFP_KERNEL, () => {
      expect(bouncer.live).toBe(3);
      setting.disk.end(9);
    });
    expect(status).toBe(BioStatus.Ok);
    expect(bytesOf(list).every((byte) => byte === 9)).toBe(true);
    expect([bouncer.live, setting.liveBios]).toEqual([0, 0]);
  });

  it("fails as a whole when the third bio cannot be bounced, and then lets go of the first two", async () => {
    const bouncer = new CountingBouncer(2);
    const setting = new Setting({ bouncer, vecsPerBio: 1 });
    const request = setting.request(BioOp.Read);
    const list = high(3);
    expect(await setting.map(request, list, GFP_KERNEL)).toBe(ENOMEM);
    expect(request).toMatchObject(EMPTY);
    expect(bytesOf(list).every((byte) => byte === 6)).toBe(true);
    expect([bouncer.live, bouncer.left, setting.liveBios]).toEqual([0, 2, 0]);
    bouncer.left = 3;
    expect(await setting.map(request, list, GFP_KERNEL)).toBe(0);
  });

  it("gives back the stand-in of the bio that the device does not take", async () => {
    const bouncer = new CountingBouncer(9);
    const setting = new Setting({ bouncer, limits: { maxSegments: 2 } });
    expect(await setting.map(setting.request(BioOp.Read), high(3), GFP_KERNEL)).toBe(EINVAL);
    expect([bouncer.live, setting.liveBios]).toEqual([0, 0]);
  });

  it("is waited for only while nothing is held, and not at all by who must not wait", async () => {
    const asked = async (gfp: number, bouncing?: "mustSucceed"): Promise<unknown> => {
      const bouncer = new CountingBouncer(9);
      const options = bouncing === undefined ? {} : { bouncing };
      const setting = new Setting({ bouncer, vecsPerBio: 1, ...options });
      await setting.map(setting.request(), high(2), gfp);
      return bouncer.asked;
    };
    expect(await asked(GFP_KERNEL)).toEqual([
      [true, false],
      [false, false],
    ]);
    expect(await asked(GFP_KERNEL, "mustSucceed")).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(await asked(GFP_ATOMIC, "mustSucceed")).toEqual([
      [false, false],
      [false, false],
    ]);
  });
});

const lists = fc
  .array(
    fc.record({
      isHigh: fc.boolean(),
      offset: fc.constantFrom(0, 0, 512, 1024, 3),
      sectors: fc.integer({ min: 1, max: 6 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((entries) =>
    entries.map(({ isHigh, offset, sectors }, index) =>
      entry(isHigh ? highPage(index + 1) : page(index + 1), offset, sectors * 512),
    ),
  );

it("whatever the list, the device moves what it says, and nothing is left behind", async () => {
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 1, max: 3 }), async (list, vecsPerBio) => {
      const setting = new Setting({ bouncer: new CountingBouncer(20), vecsPerBio });
      const status = await setting.run(setting.request(), list, GFP_KERNEL, () => {
        expect(dataOf(setting.disk.held)).toEqual(bytesOf(list));
        setting.disk.end(0);
      });
      expect(status).toBe(BioStatus.Ok);
      expect(setting.missing).toEqual(NOTHING);
    }),
    { numRuns: 25 },
  );
});

it("whichever of all attempts to get something fails, nothing is left behind", async () => {
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 0, max: 3 }), async (list, reserve) => {
      for (let failing = 1, isFailing = true; isFailing; failing += 1) {
        const bouncer = new CountingBouncer(reserve);
        const setting = new Setting({ bouncer, vecsPerBio: 1 });
        let attempts = 0;
        setting.memory.faultPlan = { fails: () => (attempts += 1) === failing };
        const request = setting.request(BioOp.Read);
        const before = bytesOf(list);
        const answer = await setting.map(request, list, GFP_KERNEL);
        isFailing = attempts >= failing;
        if (answer === 0) setting.mapper.unmapKernSg(request, ENOMEM);
        else expect(answer).toBe(ENOMEM);
        expect(bytesOf(list)).toEqual(before);
        expect([setting.missing, bouncer.live]).toEqual([NOTHING, 0]);
        expect(request).toMatchObject(EMPTY);
      }
    }),
    { numRuns: 8 },
  );
});
