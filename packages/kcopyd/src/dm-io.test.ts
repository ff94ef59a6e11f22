import {
  type Bio,
  bioEndio,
  BioFlag,
  BioOp,
  BioStatus,
  type BioVec,
  InvariantError,
  PAGE_BYTES,
  type Page,
} from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { failSectors } from "@blkstack/disk-ram";
import { allFail } from "@blkstack/memory";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { pattern } from "@blkstack/block/testing";
import { differsAt, regionOf, Setting, Watching } from "../test/setting.ts";
import {
  DmIoClient,
  type IoListener,
  type IoRegion,
  type IoRequest,
  vecsOfPages,
} from "./index.ts";

let scheduler: VirtualScheduler;
let setting: Setting;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  setting = new Setting(scheduler);
});

function client(): DmIoClient {
  return new DmIoClient({ name: "io", ...setting.parts() });
}

function pageOf(bytes: Uint8Array): Page {
  return { bytes, frame: 0 };
}

function write(regions: readonly IoRegion[], memory: BioVec[], flags = 0): IoRequest {
  return { op: BioOp.Write, flags, regions, memory };
}

function read(regions: readonly IoRegion[], memory: BioVec[]): IoRequest {
  return { op: BioOp.Read, flags: 0, regions, memory };
}

class Ends implements IoListener {
  readonly all: bigint[] = [];

  ioEnded(errorBits: bigint): void {
    this.all.push(errorBits);
  }
}

describe("a request", () => {
  it("writes the same data to all its regions, and reads it back from one", async () => {
    const disks = ["a", "b", "c"].map((name) => setting.disk(name));
    const data = pattern(20);
    const regions = disks.map((disk, index) => regionOf(disk, index * 10, 20));
    const errorBits = await scheduler.perform("t", (task) =>
      client().ioAndWait(write(regions, vecsOfPages([pageOf(data)])), task),
    );
    expect(errorBits).toBe(0n);
    for (const [index, disk] of disks.entries()) expect(differsAt(disk, index * 10, data)).toBe(-1);
    const into = new Uint8Array(data.length);
    await scheduler.perform("t", (task) =>
      client().ioAndWait(read(regions.slice(2), vecsOfPages([pageOf(into)])), task),
    );
    expect(into).toEqual(data);
  });

  it("takes regions of unequal length from the beginning of one memory", async () => {
    const disk = setting.disk("a");
    const data = pattern(20);
    await scheduler.perform("t", (task) =>
      client().ioAndWait(
        write([regionOf(disk, 0, 3), regionOf(disk, 100, 20)], vecsOfPages([pageOf(data)])),
        task,
      ),
    );
    expect(differsAt(disk, 0, data.subarray(0, 3 * 512))).toBe(-1);
    expect(differsAt(disk, 3, new Uint8Array(512))).toBe(-1);
    expect(differsAt(disk, 100, data)).toBe(-1);
  });

  it("of more vectors than a bio has goes in several, each ending with a block", async () => {
    const seen = new Watching();
    const disk = setting.disk("a", { faults: seen, limits: { maxSegments: 65_535 } });
    const data = pattern(500);
    const vecs: BioVec[] = [];
    for (let offset = 0; offset < data.length; offset += 101) {
      vecs.push({ page: pageOf(data), offset, length: Math.min(101, data.length - offset) });
    }
    const into = new Uint8Array(data.length);
    await scheduler.perform("t", async (task) => {
      await client().ioAndWait(write([regionOf(disk, 7, 500)], vecs), task);
      await client().ioAndWait(read([regionOf(disk, 7, 500)], vecsOfPages([pageOf(into)])), task);
    });
    expect(differsAt(disk, 7, data)).toBe(-1);
    expect(into.every((byte, index) => byte === data[index])).toBe(true);
    expect(seen.seen.slice(0, 2)).toEqual(["WRITE [7..57)", "WRITE [57..107)"]);
  });

  it("begins in the middle of a page if it is told so", async () => {
    const disk = setting.disk("a");
    const pages = [pageOf(pattern(8)), pageOf(pattern(8, 9))];
    await scheduler.perform("t", (task) =>
      client().ioAndWait(write([regionOf(disk, 0, 12)], vecsOfPages(pages, 2048)), task),
    );
    expect(differsAt(disk, 0, pattern(8).subarray(2048))).toBe(-1);
    expect(differsAt(disk, 4, pattern(8, 9))).toBe(-1);
  });

  it("leaves out empty regions, unless their devices are to be flushed", async () => {
    for (const [flags, expected] of [
      [0, []],
      [BioFlag.Preflush, ["WRITE [0..0)"]],
    ] as const) {
      const seen = new Watching();
      const disk = setting.disk("a", { faults: seen, hasVolatileCache: true });
      const ends = new Ends();
      await scheduler.perform("t", (task) =>
        client().io(write([regionOf(disk, 0, 0)], [], flags), ends, task),
      );
      expect(ends.all).toEqual([0n]);
      expect(seen.seen).toEqual(expected);
    }
  });

  it("with an error tells which regions failed, and nothing of the others", async () => {
    const fault = { startSector: 0, sizeSectors: 1, status: BioStatus.Medium };
    const good = setting.disk("good");
    const bad = setting.disk("bad", { faults: failSectors(fault) });
    const regions = Array.from({ length: 64 }, (_, index) =>
      regionOf(index === 1 || index === 63 ? bad : good, 0, 8),
    );
    const errorBits = await scheduler.perform("t", (task) =>
      client().ioAndWait(write(regions, vecsOfPages([pageOf(pattern(8))])), task),
    );
    expect(errorBits).toBe((1n << 63n) | 2n);
    expect(differsAt(good, 0, pattern(8))).toBe(-1);
  });

  it("zeroes the memory of what it could not read", async () => {
    const fault = { startSector: 12, sizeSectors: 1, status: BioStatus.Medium };
    const disk = setting.disk("a", { faults: failSectors(fault), limits: { maxSectors: 8 } });
    disk.poke(0, pattern(24));
    const into = pattern(24, 99);
    // Cut in three on the way down, it is one bio here, and its memory is zeroed as a whole.
    const errorBits = await scheduler.perform("t", (task) =>
      client().ioAndWait(read([regionOf(disk, 0, 24)], vecsOfPages([pageOf(into)])), task),
    );
    expect(errorBits).toBe(1n);
    expect(into.every((byte) => byte === 0)).toBe(true);
  });

  it("zeroes no more than that, though the bio that failed begins inside a vector", async () => {
    // 256 vectors of 101 bytes are what the first bio can have, and 50 sectors of them what it takes.
    const fault = { startSector: 50, sizeSectors: 1, status: BioStatus.Medium };
    const disk = setting.disk("a", { faults: failSectors(fault), limits: { maxSegments: 65_535 } });
    disk.poke(0, pattern(200));
    const into = new Uint8Array(200 * 512).fill(99);
    const vecs: BioVec[] = [];
    for (let offset = 0; offset < into.length; offset += 101) {
      vecs.push({ page: pageOf(into), offset, length: Math.min(101, into.length - offset) });
    }
    await scheduler.perform("t", (task) =>
      client().ioAndWait(read([regionOf(disk, 0, 200)], vecs), task),
    );
    const expected = pattern(200);
    expected.fill(0, 50 * 512, 100 * 512);
    expect(into.findIndex((byte, index) => byte !== expected[index])).toBe(-1);
  });

  it("that a device has no operation for fails there, and is done elsewhere", async () => {
    const can = setting.disk("can");
    const cannot = setting.disk("cannot", {
      limits: { maxDiscardSectors: 0, maxWriteZeroesSectors: 0 },
    });
    for (const op of [BioOp.Discard, BioOp.WriteZeroes] as const) {
      can.poke(0, pattern(8));
      const regions = [regionOf(cannot, 0, 8), regionOf(can, 0, 8)];
      const errorBits = await scheduler.perform("t", (task) =>
        client().ioAndWait({ op, flags: 0, regions, memory: [] }, task),
      );
      expect(errorBits).toBe(1n);
      expect(differsAt(can, 0, new Uint8Array(4096))).toBe(-1);
    }
  });

  it("with no, or too many, regions is refused", async () => {
    const disk = setting.disk("a");
    const region = regionOf(disk, 0, 8);
    const memory = vecsOfPages([pageOf(pattern(8))]);
    const wrong = [
      write([], memory),
      read([region, region], memory),
      write(
        Array.from({ length: 65 }, () => region),
        memory,
      ),
      write([regionOf(disk, 0, 9)], memory),
    ];
    for (const request of wrong) {
      const attempt = scheduler.perform("t", (task) => client().ioAndWait(request, task));
      await expect(attempt).rejects.toThrow(InvariantError);
    }
  });
});

describe("a waiting request", () => {
  it("is no promise when it ends at once", async () => {
    const disk = setting.disk("a");
    const into = new Uint8Array(PAGE_BYTES);
    await scheduler.perform("t", (task) => {
      const ended = client().ioAndWait(
        read([regionOf(disk, 0, 8)], vecsOfPages([pageOf(into)])),
        task,
      );
      expect(isPending(ended)).toBe(false);
    });
  });

  it("says which bios it waits for", async () => {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    setting = new Setting(scheduler);
    const disk = setting.disk("a");
    const memory = vecsOfPages([pageOf(pattern(8))]);
    const task = scheduler.spawn("t", async (self) => {
      await client().ioAndWait(write([regionOf(disk, 0, 8)], memory), self);
    });
    await scheduler.runTasks();
    expect(task.waitingFor?.label).toBe('completion "end of I/O of dm-io "io""');
    const [record] = task.waitingFor?.blockers() ?? [];
    expect(record).toMatchObject({ label: "request WRITE a [0..8)" });
    const [bio] = (record as { blockers(): readonly object[] }).blockers();
    expect((bio as Bio).toString()).toBe("WRITE a [0..8)");
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("from inside a driver is refused by name: its bios would wait for their own driver", async () => {
    const disk = setting.disk("metadata");
    const io = client();
    const driver = new Driver((bio, task) => {
      const memory = vecsOfPages([pageOf(pattern(8))]);
      const ended = io.ioAndWait(write([regionOf(disk, 0, 8)], memory), task);
      bioEndio(bio);
      return isPending(ended) ? ended.then(() => undefined) : undefined;
    });
    const memory = vecsOfPages([pageOf(pattern(8))]);
    const request = read([{ device: driver, sector: 0, sectors: 8 }], memory);
    const attempt = scheduler.perform("alice", (task) => client().ioAndWait(request, task));
    await expect(attempt).rejects.toThrow(
      "alice would wait for I/O to metadata that it parks itself",
    );
  });
});

describe("with no memory", () => {
  it("more requests than are in reserve wait for those before them, and all end", async () => {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    setting = new Setting(scheduler);
    const disk = setting.disk("a");
    const io = client();
    const ends = new Ends();
    const memory = vecsOfPages([pageOf(pattern(8))]);
    setting.memory.faultPlan = allFail;
    scheduler.spawn("t", async (task) => {
      for (let number = 0; number < 100; number += 1) {
        await io.io(write([regionOf(disk, 0, 8), regionOf(disk, 8, 8)], memory), ends, task);
      }
    });
    await scheduler.runTasks();
    // Two bios each: the bios are what runs out first.
    expect([scheduler.pendingInterrupts.length, io.requests]).toEqual([16, 9]);
    await scheduler.run();
    expect(ends.all).toHaveLength(100);
    expect(scheduler.clock.nowMs()).toBe(1000);
    await scheduler.perform("end", (task) => io.destroy(task));
    expect(scheduler.warnings).toEqual([]);
  });
});

class Driver implements BlockDevice {
  readonly name = "driver";
  readonly sizeSectors = 8192;
  readonly isReadOnly = false;
  readonly queue: RequestQueue = new RequestQueue("driver", defaultLimits());
  readonly submitBio: (bio: Bio, task: Task) => Awaitable<void>;

  constructor(submitBio: (bio: Bio, task: Task) => Awaitable<void>) {
    this.submitBio = submitBio;
  }
}
