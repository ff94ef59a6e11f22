import { type Bio, BioFlag, BioOp } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import {
  bioFor,
  emptyFlush,
  Ends,
  TestDevice,
  type TestDeviceOptions,
} from "../test/test-device.ts";
import { MakeRequest, type MakeRequestOptions } from "./index.ts";

let scheduler: VirtualScheduler;
let ends: Ends;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  ends = new Ends();
});

const disk = (options: TestDeviceOptions = {}): TestDevice =>
  new TestDevice("sda", undefined, options);

async function submit(bio: Bio, options: MakeRequestOptions = {}): Promise<string | undefined> {
  const submitter = new MakeRequest(options);
  ends.watch(bio, "bio");
  await scheduler.perform("submitter", (task) => submitter.submitBio(bio, task));
  return ends.log.pop();
}

describe("a bio beyond the end of the device (T5.3)", () => {
  it.each([
    [992, 8, "bio OK"],
    [993, 8, "bio EIO"],
    [1001, 1, "bio EIO"],
    [0, 1001, "bio EIO"],
    [-1, 8, "bio EIO"],
  ])("of 1000 sectors: %i + %i ends as %s", async (sector, sectors, outcome) => {
    const device = disk({ sizeSectors: 1000, limits: { maxSectors: 2000, maxHwSectors: 2000 } });
    expect(await submit(bioFor(device, { sector, sectors }))).toBe(outcome);
    expect(device.seen).toHaveLength(outcome === "bio OK" ? 1 : 0);
  });

  it("is no concern of an empty flush", async () => {
    const device = disk({ sizeSectors: 1000, limits: { hasVolatileCache: true } });
    const bio = emptyFlush(device);
    bio.sector = 5000;
    expect(await submit(bio)).toBe("bio OK");
    expect(device.seen).toHaveLength(1);
  });

  it("cannot be told when the size is unknown", async () => {
    expect(await submit(bioFor(disk(), { sector: 2 ** 40 }))).toBe("bio OK");
  });
});

describe("a bio to a partition (T5.4)", () => {
  const partitioned = (): TestDevice =>
    disk({ sizeSectors: 4096, partitions: [{ startSector: 2048, sizeSectors: 100 }] });

  it("is moved to the whole disk", async () => {
    const device = partitioned();
    const bio = bioFor(device, { sector: 99, sectors: 1, partition: 1 });
    expect(await submit(bio)).toBe("bio OK");
    expect(device.seen).toEqual(["WRITE sda [2147..2148)"]);
    expect(bio.partition).toBe(0);
  });

  it("fails with its sector untouched when it leaves the partition", async () => {
    const device = partitioned();
    const bio = bioFor(device, { sector: 100, sectors: 1, partition: 1 });
    expect(await submit(bio)).toBe("bio EIO");
    expect(bio.sector).toBe(100);
    expect(device.seen).toEqual([]);
  });

  it("fails when there is no such partition", async () => {
    expect(await submit(bioFor(partitioned(), { partition: 2 }))).toBe("bio EIO");
    const whole = disk();
    expect(await submit(bioFor(whole, { partition: 1 }))).toBe("bio EIO");
  });

  it("is moved once only, however often it is submitted (BS-12)", async () => {
    const device = partitioned();
    const bio = bioFor(device, { sector: 10, sectors: 1, partition: 1 });
    expect(await submit(bio)).toBe("bio OK");
    expect(await submit(bio)).toBe("bio OK");
    expect(device.seen).toEqual(["WRITE sda [2058..2059)", "WRITE sda [2058..2059)"]);
  });

  it("keeps its sector when it is empty", async () => {
    const device = disk({
      partitions: [{ startSector: 2048, sizeSectors: 100 }],
      limits: { hasVolatileCache: true },
    });
    const bio = emptyFlush(device);
    bio.partition = 1;
    bio.sector = 7;
    expect(await submit(bio)).toBe("bio OK");
    expect(bio.sector).toBe(7);
    expect(bio.partition).toBe(0);
  });

  it("fails when the partition reaches beyond a disk that has shrunk", async () => {
    const device = disk({ sizeSectors: 50, partitions: [{ startSector: 40, sizeSectors: 100 }] });
    expect(await submit(bioFor(device, { sector: 20, partition: 1 }))).toBe("bio EIO");
    expect(device.seen).toEqual([]);
  });
});

describe("a flush (T5.5)", () => {
  it("loses its flags on the way to a device without a volatile cache", async () => {
    const device = disk();
    const bio = bioFor(device, { flags: BioFlag.Preflush | BioFlag.Fua | BioFlag.Sync });
    expect(await submit(bio)).toBe("bio OK");
    expect(device.seen).toHaveLength(1);
    expect(bio.flags).toBe(BioFlag.Sync);
  });

  it("that is empty is done where nothing is volatile, without the driver", async () => {
    const device = disk();
    expect(await submit(emptyFlush(device))).toBe("bio OK");
    expect(await submit(bioFor(device, { op: BioOp.Flush, sectors: 0 }))).toBe("bio OK");
    expect(device.seen).toEqual([]);
  });

  it("comes with its flags to a device that has a volatile cache", async () => {
    const device = disk({ limits: { hasVolatileCache: true } });
    const flags = BioFlag.Preflush | BioFlag.Fua;
    const bio = bioFor(device, { flags });
    expect(await submit(bio)).toBe("bio OK");
    expect(bio.flags).toBe(flags);
  });

  it("does not swallow a discard that is to be durable", async () => {
    const device = disk({ limits: { maxDiscardSectors: 64 } });
    const bio = bioFor(device, { op: BioOp.Discard, flags: BioFlag.Fua });
    expect(await submit(bio)).toBe("bio OK");
    expect(device.seen).toEqual(["DISCARD sda [0..8)"]);
  });
});

describe("an operation that the device does not have", () => {
  it.each([
    [BioOp.Discard, {}, "bio EOPNOTSUPP"],
    [BioOp.Discard, { maxDiscardSectors: 64 }, "bio OK"],
    [BioOp.SecureErase, { maxDiscardSectors: 64 }, "bio EOPNOTSUPP"],
    [BioOp.SecureErase, { maxSecureEraseSectors: 64 }, "bio OK"],
    [BioOp.WriteZeroes, {}, "bio EOPNOTSUPP"],
    [BioOp.WriteZeroes, { maxWriteZeroesSectors: 64 }, "bio OK"],
    [BioOp.ZoneAppend, {}, "bio EOPNOTSUPP"],
    [BioOp.ZoneReset, {}, "bio EOPNOTSUPP"],
    [BioOp.DriverIn, {}, "bio OK"],
    [77 as BioOp, {}, "bio EOPNOTSUPP"],
  ])("operation %i with %j ends as %s", async (op, limits, outcome) => {
    const device = disk({ limits });
    expect(await submit(bioFor(device, { op }))).toBe(outcome);
    expect(device.seen).toHaveLength(outcome === "bio OK" ? 1 : 0);
  });
});

describe("a write to a read-only device", () => {
  it.each([
    [BioOp.Write, 8],
    [BioOp.Discard, 8],
    [BioOp.WriteZeroes, 8],
    [BioOp.ZoneFinish, 8],
    [BioOp.DriverOut, 0],
    [BioOp.Write, 0],
  ])("never reaches the driver: operation %i of %i sectors", async (op, sectors) => {
    const device = disk({
      isReadOnly: true,
      limits: { maxDiscardSectors: 64, maxWriteZeroesSectors: 64 },
    });
    expect(await submit(bioFor(device, { op, sectors }))).toBe("bio EROFS");
    expect(device.seen).toEqual([]);
  });

  it("may be let through with a warning, for tools that write anyway", async () => {
    const device = disk({ isReadOnly: true });
    expect(await submit(bioFor(device), { onReadOnly: "warn" })).toBe("bio OK");
    expect(scheduler.warnings).toEqual(["submitter writes to read-only sda: WRITE sda [0..8)"]);
  });

  it("is not what a read, a private inquiry or an empty flush is", async () => {
    const device = disk({ isReadOnly: true, limits: { hasVolatileCache: true } });
    expect(await submit(bioFor(device, { op: BioOp.Read }))).toBe("bio OK");
    expect(await submit(bioFor(device, { op: BioOp.DriverIn }))).toBe("bio OK");
    expect(await submit(emptyFlush(device))).toBe("bio OK");
    expect(device.seen).toHaveLength(3);
  });
});

describe("the other checks", () => {
  it("fail a bio that is addressed to nothing", async () => {
    const bio = bioFor(disk());
    bio.device = null;
    expect(await submit(bio)).toBe("bio EIO");
  });

  it("send a bio that must not wait back from a queue that cannot promise it", async () => {
    const device = disk({ limits: { canNoWait: false } });
    expect(await submit(bioFor(device, { flags: BioFlag.NoWait }))).toBe("bio EAGAIN");
    expect(await submit(bioFor(device))).toBe("bio OK");
  });

  it("fail the bios that a test chose", async () => {
    const device = disk();
    const faultInjection = { shouldFail: (bio: Bio): boolean => bio.sector === 8 };
    expect(await submit(bioFor(device, { sector: 8 }), { faultInjection })).toBe("bio EIO");
    expect(await submit(bioFor(device, { sector: 16 }), { faultInjection })).toBe("bio OK");
  });

  it("refuse what is too large when nobody is there to cut it", async () => {
    const device = disk();
    expect(await submit(bioFor(device, { sectors: 255 }))).toBe("bio OK");
    expect(await submit(bioFor(device, { sectors: 256 }))).toBe("bio EIO");
    expect(device.seen).toHaveLength(1);
  });

  it("ask the queue's hook last, and leave the bio to it once it took it", async () => {
    const device = disk({ sizeSectors: 100 });
    const taken: Bio[] = [];
    device.queue.submitHook = {
      take(bio) {
        if (taken.includes(bio)) return false;
        taken.push(bio);
        return true;
      },
    };
    expect(await submit(bioFor(device, { sector: 1000 }))).toBe("bio EIO");
    expect(taken).toEqual([]);
    const bio = bioFor(device);
    expect(await submit(bio)).toBeUndefined();
    expect(taken).toEqual([bio]);
    expect(device.seen).toEqual([]);
    expect(await submit(bio)).toBe("bio OK");
  });
});

describe("the order of the checks", () => {
  it("is: refused to wait, injected, beyond the end, read-only, flushed, unsupported", async () => {
    const device = disk({ sizeSectors: 8, isReadOnly: true, limits: { canNoWait: false } });
    const faultInjection = { shouldFail: () => isInjecting };
    let isInjecting = true;
    const bio = bioFor(device, { op: BioOp.Discard, sector: 8, flags: BioFlag.NoWait });
    expect(await submit(bio, { faultInjection })).toBe("bio EAGAIN");
    bio.flags = 0;
    isInjecting = false;
    expect(await submit(bio, { faultInjection })).toBe("bio EIO");
    bio.sector = 0;
    expect(await submit(bio, { faultInjection })).toBe("bio EROFS");
    expect(await submit(bio, { faultInjection, onReadOnly: "warn" })).toBe("bio EOPNOTSUPP");
  });
});
