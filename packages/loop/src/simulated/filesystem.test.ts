import { BioOp, BioStatus } from "@blkstack/bio";
import { failSectors } from "@blkstack/disk-ram";
import { type Gfp, GFP_KERNEL, GFP_NOFS, GFP_NOIO, gfpName, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { pattern, planBio } from "@blkstack/block/testing";
import { Setting } from "../../test/setting.ts";
import {
  type PageAccount,
  RamFile,
  type SimulatedFileOptions,
  SimulatedFilesystem,
} from "../simulated.ts";

/** Pages for the asking, until `left` are gone; writes down who asked for how many and with what. */
class CountedPages implements PageAccount {
  readonly asked: string[] = [];
  left = Infinity;
  /** Told of each request before it is answered. */
  onAsk: (task: Task) => void = () => undefined;

  takePages(pages: number, gfp: Gfp, task: Task): boolean {
    this.onAsk(task);
    this.asked.push(`${String(pages)} ${gfpName(gfp)}`);
    if (pages > this.left) return false;
    this.left -= pages;
    return true;
  }

  givePages(pages: number): void {
    this.left += pages;
  }
}

let scheduler: VirtualScheduler;
let pages: CountedPages;
let filesystem: SimulatedFilesystem;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  pages = new CountedPages();
  const lower = new RamFile({ label: "blocks", sizeBytes: 4 * 4096 });
  filesystem = new SimulatedFilesystem({ name: "X", lower, memory: pages });
});

function inTask<T>(body: (task: Task) => Promise<T>): Promise<T> {
  return scheduler.perform("user", body);
}

async function contents(name: string, sizeBytes: number, task: Task): Promise<number[]> {
  const bytes = new Uint8Array(sizeBytes);
  const count = await filesystem.lookUp(name)?.read([bytes], 0, task);
  return [...bytes.subarray(0, count)];
}

describe("a file", () => {
  it("grows by what is written, and what was never written is zero", () =>
    inTask(async (task) => {
      const file = filesystem.createFile("a");
      expect(await file.write([Uint8Array.of(1, 2), Uint8Array.of(3)], 4095, task)).toBe(3);
      expect(file.sizeBytes).toBe(4098);
      expect(filesystem.freeBlocks).toBe(2);
      const bytes = await contents("a", 5000, task);
      expect(bytes.slice(4094)).toEqual([0, 1, 2, 3]);
      expect(bytes.slice(0, 4095).every((byte) => byte === 0)).toBe(true);
    }));

  it("gives whole blocks back for holes and when it is cut", () =>
    inTask(async (task) => {
      const file = filesystem.createFile("a");
      await file.write([new Uint8Array(3 * 4096).fill(7)], 0, task);
      expect(filesystem.freeBlocks).toBe(1);
      expect(await file.punchHole({ offsetBytes: 100, lengthBytes: 8092 }, task)).toBe(0);
      expect(filesystem.freeBlocks).toBe(2);
      expect(file.sizeBytes).toBe(3 * 4096);
      const bytes = await contents("a", 3 * 4096, task);
      expect(bytes.indexOf(0)).toBe(100);
      expect(bytes.lastIndexOf(0)).toBe(8191);
      await file.truncate(8200, task);
      expect(filesystem.freeBlocks).toBe(2);
      await file.truncate(3 * 4096, task);
      expect((await contents("a", 3 * 4096, task)).slice(8192, 8202)).toEqual([
        ...new Array<number>(8).fill(7),
        0,
        0,
      ]);
    }));

  it("keeps the blocks of zeroes where that is asked, and becomes longer by zeroes", () =>
    inTask(async (task) => {
      const file = filesystem.createFile("a");
      await file.write([new Uint8Array(4096).fill(7)], 0, task);
      await file.zeroRange({ offsetBytes: 0, lengthBytes: 4096 }, false, task);
      expect(filesystem.freeBlocks).toBe(3);
      await file.zeroRange({ offsetBytes: 0, lengthBytes: 8192 }, true, task);
      expect(filesystem.freeBlocks).toBe(4);
      expect(file.sizeBytes).toBe(8192);
    }));

  it("can be of a kind that has no holes", () =>
    inTask(async (task) => {
      const file = filesystem.createFile("a", { hasHoles: false });
      expect(await file.punchHole({ offsetBytes: 0, lengthBytes: 4096 }, task)).toBe(-95);
      expect(await file.zeroRange({ offsetBytes: 0, lengthBytes: 4096 }, true, task)).toBe(-95);
    }));

  it("can be read though it was removed, and its name be taken by another", () =>
    inTask(async (task) => {
      const setting = new Setting(scheduler);
      const file = filesystem.createFile("img", { isReadOnly: true });
      await file.write([pattern(8, 3)], 0, task);
      const loop = await setting.bound({ file }, task);
      filesystem.remove("img");
      expect(filesystem.lookUp("img")).toBeUndefined();
      filesystem.createFile("img");
      const bio = planBio({ op: BioOp.Read, sector: 0, sectors: 8 });
      expect(await setting.run(loop, bio, task)).toBe(BioStatus.Ok);
      expect(bio.vecs[0]?.page.bytes.subarray(0, 4096)).toEqual(pattern(8, 3));
    }));

  it("tells what it has written when the filesystem is full, then that it is", () =>
    inTask(async (task) => {
      const file = filesystem.createFile("a");
      expect(await file.write([new Uint8Array(5 * 4096)], 0, task)).toBe(4 * 4096);
      expect(await file.write([new Uint8Array(1)], 4 * 4096, task)).toBe(-28);
      expect(file.sizeBytes).toBe(4 * 4096);
      const setting = new Setting(scheduler);
      const loop = await setting.bound({ file, sizeLimitBytes: 6 * 4096 }, task);
      const bio = planBio({ op: BioOp.Write, sector: 31, sectors: 2 });
      expect(await setting.run(loop, bio, task)).toBe(BioStatus.IoError);
    }));

  it("tells the errors of what lies below, and keeps no block that was not written", () =>
    inTask(async (task) => {
      const setting = new Setting(scheduler);
      const disk = setting.disk("sda", 16);
      const lower = setting.fileOf(disk);
      const files = new SimulatedFilesystem({ name: "Y", lower, memory: pages });
      const file = files.createFile("a");
      disk.faults = failSectors({ startSector: 0, sizeSectors: 1, status: BioStatus.Medium });
      expect(await file.write([new Uint8Array(4096).fill(1)], 0, task)).toBe(-61);
      expect([files.freeBlocks, file.sizeBytes]).toEqual([2, 0]);
      disk.faults = null;
      await file.write([new Uint8Array(4096).fill(1)], 0, task);
      disk.faults = failSectors({ startSector: 0, sizeSectors: 1, status: BioStatus.Medium });
      expect(await file.read([new Uint8Array(1)], 0, task)).toBe(-61);
    }));

  it("flushes what lies below, once for each sync", () =>
    inTask(async (task) => {
      let syncs = 0;
      const lower = new RamFile({ label: "blocks", sizeBytes: 4096 });
      lower.sync = () => {
        syncs += 1;
        return 0;
      };
      const files = new SimulatedFilesystem({ name: "Y", lower, memory: pages });
      expect(await files.createFile("a").sync(task)).toBe(0);
      expect(syncs).toBe(1);
    }));
});

describe("a change", () => {
  it.each<[string, SimulatedFileOptions, readonly string[]]>([
    ["for each block of data, with NOFS, unless told", {}, [`2 ${gfpName(GFP_NOFS)}`]],
    [
      "for data and for the rest, each with its mask",
      { cachePages: 1, cacheGfp: GFP_NOIO, otherPages: 3, otherGfp: GFP_KERNEL },
      [`1 ${gfpName(GFP_NOIO)}`, `3 ${gfpName(GFP_KERNEL)}`],
    ],
    ["not at all", { cachePages: 0 }, []],
  ])("takes pages %s, and gives them back", (_how, options, asked) =>
    inTask(async (task) => {
      pages.left = 10;
      await filesystem.createFile("a", options).write([new Uint8Array(4096)], 10, task);
      expect(pages.asked).toEqual(asked);
      expect(pages.left).toBe(10);
    }),
  );

  it.each([
    ["in-transaction", true],
    ["before-transaction", false],
  ] as const)("that allocates %s holds the lock meanwhile: %s", (allocates, isHeld) =>
    inTask(async (task) => {
      const holders: (Task | null)[] = [];
      pages.onAsk = () => holders.push(filesystem.transaction.owner);
      await filesystem.createFile("a", { allocates }).write([new Uint8Array(1)], 0, task);
      expect(holders).toEqual([isHeld ? task : null]);
    }),
  );

  it("that gets no page, or not all, changes nothing and holds nothing", () =>
    inTask(async (task) => {
      pages.left = 1;
      const file = filesystem.createFile("a", { cachePages: 1, otherPages: 1 });
      expect(await file.write([new Uint8Array(1)], 0, task)).toBe(-12);
      expect([file.sizeBytes, pages.left, filesystem.transaction.owner]).toEqual([0, 1, null]);
    }));

  it("waits while the filesystem is frozen; reads do not", async () => {
    const story: string[] = [];
    const file = filesystem.createFile("a");
    const freezer = scheduler.spawn("freezer", (task) => filesystem.freeze(task));
    await scheduler.run();
    scheduler.spawn("writer", async (task) => {
      await file.write([Uint8Array.of(1)], 0, task);
      story.push("written");
    });
    scheduler.spawn("reader", async (task) => {
      await file.read([new Uint8Array(1)], 0, task);
      story.push("read");
    });
    await scheduler.run();
    expect(story).toEqual(["read"]);
    expect(scheduler.sleepers()[0]?.waitingFor?.blockers()).toEqual([freezer]);
    scheduler.spawn("thawer", (task) => {
      filesystem.thaw(task);
    });
    await scheduler.run();
    expect(story).toEqual(["read", "written"]);
  });
});

it("has no two files of one name", () => {
  filesystem.createFile("a");
  expect(() => filesystem.createFile("a")).toThrow('X: there is a file "a" already');
});
