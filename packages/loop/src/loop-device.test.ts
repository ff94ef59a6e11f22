import { type Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { Completion, GFP_KERNEL, GFP_NOFS, GFP_NOIO, GfpScopeBit, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { OddFile } from "../test/odd-file.ts";
import { dataOf, pattern, planBio } from "@blkstack/block/testing";
import { Setting, flushBio } from "../test/setting.ts";
import type { BackingFile, LoopBinding, LoopDevice } from "./index.ts";
import { RamFile } from "./simulated.ts";

let scheduler: VirtualScheduler;
let setting: Setting;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  setting = new Setting(scheduler);
});

function inTask<T>(body: (task: Task) => Promise<T>): Promise<T> {
  return scheduler.perform("user", body);
}

const writeOf = (sector: number, sectors: number, flags = 0) =>
  planBio({ op: BioOp.Write, sector, sectors, flags, data: pattern(sectors, 5), cuts: [700, 512] });
const readOf = (sector: number, sectors: number) => planBio({ op: BioOp.Read, sector, sectors });

describe("commands", () => {
  it("write the bytes of the file that the sectors stand for", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      expect(await setting.run(loop, writeOf(16, 8), task)).toBe(BioStatus.Ok);
      expect(file.calls).toEqual(["write 8192+4096"]);
      expect(file.ram.bytes.subarray(8192, 12_288)).toEqual(pattern(8, 5));
      const bio = readOf(16, 8);
      expect(await setting.run(loop, bio, task)).toBe(BioStatus.Ok);
      expect(dataOf(bio)).toEqual(pattern(8, 5));
    }));

  it("are counted from the offset, which need be no multiple of anything", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file, offsetBytes: 1001, sizeLimitBytes: 8192 }, task);
      expect(loop.sizeSectors).toBe(16);
      await setting.run(loop, writeOf(1, 2), task);
      expect(file.calls).toEqual(["write 1513+1024"]);
    }));

  it("flush with exactly one sync", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      expect(await setting.run(loop, flushBio(BioFlag.Preflush), task)).toBe(BioStatus.Ok);
      expect(file.calls).toEqual(["sync"]);
    }));

  it("sync before the data, after it, or both, as they ask", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      for (const flags of [BioFlag.Preflush, BioFlag.Fua, BioFlag.Preflush | BioFlag.Fua]) {
        file.calls.length = 0;
        await setting.run(loop, writeOf(0, 1, flags), task);
        const before = (flags & BioFlag.Preflush) === 0 ? [] : ["sync"];
        const after = (flags & BioFlag.Fua) === 0 ? [] : ["sync"];
        expect(file.calls).toEqual([...before, "write 0+512", ...after]);
      }
    }));

  it("leave the data alone when the sync before it fails", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      file.oddity = (call) => (call === "sync" ? -5 : null);
      expect(await setting.run(loop, writeOf(0, 1, BioFlag.Preflush), task)).toBe(
        BioStatus.IoError,
      );
      expect(file.calls).toEqual(["sync"]);
      expect(await setting.run(loop, writeOf(0, 1, BioFlag.Fua), task)).toBe(BioStatus.IoError);
    }));

  it("punch holes for discards, and zero for zeroes, keeping blocks where that is asked", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      const range = { sector: 8, sectors: 8, cuts: [] };
      for (const [op, flags] of [
        [BioOp.Discard, 0],
        [BioOp.WriteZeroes, 0],
        [BioOp.WriteZeroes, BioFlag.NoUnmap],
      ] as const) {
        const bio = planBio({ ...range, op, flags });
        expect(await setting.run(loop, bio, task)).toBe(BioStatus.Ok);
      }
      expect(file.calls).toEqual([
        "punch 4096+4096",
        "zero 4096+4096",
        "zero, keeping blocks, 4096+4096",
      ]);
    }));
});

describe("a file that does not do what it is asked", () => {
  it("is asked for the rest when it moves less", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      file.oddity = () => 1500;
      expect(await setting.run(loop, writeOf(0, 8), task)).toBe(BioStatus.Ok);
      expect(file.calls).toEqual(["write 0+4096", "write 1500+2596", "write 3000+1096"]);
      const bio = planBio({ op: BioOp.Read, sector: 0, sectors: 8, cuts: [512, 2000] });
      expect(await setting.run(loop, bio, task)).toBe(BioStatus.Ok);
      expect(dataOf(bio)).toEqual(pattern(8, 5));
    }));

  it("ends reads behind its end with an I/O error and zeroes", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      await setting.run(loop, writeOf(0, 8), task);
      file.ram.truncate(1000);
      const bio = readOf(0, 8);
      expect(await setting.run(loop, bio, task)).toBe(BioStatus.IoError);
      const data = dataOf(bio);
      expect(data.subarray(0, 1000)).toEqual(pattern(8, 5).subarray(0, 1000));
      expect(data.subarray(1000).every((byte) => byte === 0)).toBe(true);
    }));

  it("makes an I/O error of every errno", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      for (const errno of [-5, -28, -12, -30, -95]) {
        file.oddity = () => errno;
        expect(await setting.run(loop, writeOf(0, 1), task)).toBe(BioStatus.IoError);
        expect(await setting.run(loop, readOf(0, 1), task)).toBe(BioStatus.IoError);
        const flush = flushBio(BioFlag.Preflush);
        expect(await setting.run(loop, flush, task)).toBe(BioStatus.IoError);
      }
    }));

  it("is not asked again for what it cannot do at all", () =>
    inTask(async (task) => {
      const file = new OddFile(65_536);
      const loop = await setting.bound({ file }, task);
      const discard = () => planBio({ op: BioOp.Discard, sector: 0, sectors: 8 });
      const zero = () => planBio({ op: BioOp.WriteZeroes, sector: 0, sectors: 8 });
      file.oddity = () => -5;
      expect(await setting.run(loop, discard(), task)).toBe(BioStatus.IoError);
      expect(loop.queue.limits.maxDiscardSectors).toBeGreaterThan(0);
      file.oddity = () => -95;
      expect(await setting.run(loop, discard(), task)).toBe(BioStatus.NotSupported);
      expect(loop.queue.limits.maxDiscardSectors).toBe(0);
      expect(loop.queue.limits.maxWriteZeroesSectors).toBeGreaterThan(0);
      expect(await setting.run(loop, zero(), task)).toBe(BioStatus.NotSupported);
      expect(loop.queue.limits.maxWriteZeroesSectors).toBe(0);
      const before = file.calls.length;
      expect(await setting.run(loop, discard(), task)).toBe(BioStatus.NotSupported);
      expect(file.calls).toHaveLength(before);
    }));

  it("has no discards nor zeroes when it does not know them", () =>
    inTask(async (task) => {
      const ram = new RamFile({ label: "f", sizeBytes: 4096 });
      const file: BackingFile = {
        label: "plain",
        kind: "regular",
        sizeBytes: 4096,
        isReadOnly: false,
        read: (views, offsetBytes) => ram.read(views, offsetBytes),
        write: (views, offsetBytes) => ram.write(views, offsetBytes),
        sync: () => 0,
      };
      const { limits } = (await setting.bound({ file }, task)).queue;
      expect(limits).toMatchObject({ maxDiscardSectors: 0, maxWriteZeroesSectors: 0 });
    }));

  it("keeps nobody waiting when it throws", async () => {
    const file = new OddFile(65_536);
    let status: BioStatus = BioStatus.Ok;
    scheduler.spawn("user", async (task) => {
      const loop = await setting.bound({ file }, task);
      file.oddity = () => {
        throw new RangeError("a defect of the file");
      };
      status = await setting.run(loop, writeOf(0, 1), task);
      file.oddity = () => null;
      expect(await setting.run(loop, writeOf(0, 1), task)).toBe(BioStatus.Ok);
    });
    await expect(scheduler.run()).rejects.toThrow("a defect of the file");
    await scheduler.run();
    expect(status).toBe(BioStatus.IoError);
    expect(file.ram.bytes.subarray(0, 512)).toEqual(pattern(1, 5));
  });
});

describe("workers", () => {
  /** Holds the calls of a file; to complete the nth lets it go on. */
  function holding(file: OddFile): Completion[] {
    const held: Completion[] = [];
    file.before = (call, task) => {
      const release = new Completion(`release of ${call}`, { scheduler, blockers: () => [] });
      held.push(release);
      return release.wait(task);
    };
    return held;
  }

  async function letGo(held: Completion[], index: number): Promise<void> {
    held[index]!.complete();
    await scheduler.run();
  }

  it("run in a noio scope, unless told, which ends with them", () =>
    inTask(async (task) => {
      const scopes: number[] = [];
      for (const workerNoIo of [true, false]) {
        const ram = new RamFile({ label: "f", sizeBytes: 4096 });
        const file: BackingFile = {
          label: "scoped",
          kind: "regular",
          sizeBytes: 4096,
          isReadOnly: false,
          read: (views, offsetBytes, { gfpScope }) => {
            scopes.push(gfpScope);
            return ram.read(views, offsetBytes);
          },
          write: (views, offsetBytes) => ram.write(views, offsetBytes),
          sync: () => 0,
        };
        const loop = await setting.bound({ file }, task, { workerNoIo });
        await setting.run(loop, readOf(0, 1), task);
      }
      expect(scopes).toEqual([GfpScopeBit.NoIo, 0]);
      expect(task.gfpScope).toBe(0);
    }));

  it("take one command at a time, first come, first served", async () => {
    const file = new OddFile(65_536);
    const held = holding(file);
    const ended: string[] = [];
    await submitAll({ file }, [writeOf(0, 8), writeOf(8, 8), writeOf(16, 8)], ended);
    expect(file.calls).toEqual(["write 0+4096"]);
    await letGo(held, 0);
    expect(file.calls).toEqual(["write 0+4096", "write 4096+4096"]);
    expect(ended).toEqual(["WRITE loop0 [0..8)"]);
    await letGo(held, 1);
    await letGo(held, 2);
    expect(ended).toHaveLength(3);
  });

  it("take several when there are several, but never two that touch the same sectors", async () => {
    const file = new OddFile(65_536);
    const held = holding(file);
    const ended: string[] = [];
    const bios = [writeOf(0, 8), readOf(64, 8), readOf(64, 8), readOf(7, 2), readOf(32, 1)];
    await submitAll({ file }, bios, ended, 3);
    expect(file.calls).toEqual(["write 0+4096", "read 32768+4096", "read 32768+4096"]);
    await letGo(held, 2);
    expect(ended).toEqual(["READ loop0 [64..72)"]);
    // The next in the queue touches what is being written; those behind it wait with it.
    expect(file.calls).toHaveLength(3);
    await letGo(held, 0);
    expect(file.calls.slice(3)).toEqual(["read 3584+1024", "read 16384+512"]);
  });

  it("never keep a submitter waiting", async () => {
    const file = new OddFile(65_536);
    holding(file);
    const bios = Array.from({ length: 1000 }, () => readOf(0, 1));
    const loop = await submitAll({ file }, bios, []);
    expect([...loop.commands]).toHaveLength(1000);
    expect(loop.servedBy()).toHaveLength(1);
  });

  /** Submits all without waiting for any; comes back when nothing can go on. */
  async function submitAll(
    binding: LoopBinding,
    bios: readonly Bio[],
    ended: string[],
    workers = 1,
  ): Promise<LoopDevice> {
    return inTask(async (task) => {
      const loop = await setting.bound(binding, task, { workers });
      for (const bio of bios) {
        bio.device = loop;
        bio.endIo = () => ended.push(bio.toString());
        await setting.submitter.submitBio(bio, task);
      }
      return loop;
    });
  }
});

describe("binding", () => {
  const GOOD = new RamFile({ label: "good", sizeBytes: 8192 });

  async function refusalOf(binding: LoopBinding): Promise<unknown> {
    return inTask(async (task) => {
      const { message, errno } = await errorOf(setting.loop().bind(binding, task));
      return `${errno}: ${message}`;
    });
  }

  it.each<[string, Partial<LoopBinding>, string]>([
    [
      "an offset behind the end",
      { offsetBytes: 8192 },
      "is 8192 bytes long, which leaves no block behind byte 8192",
    ],
    ["a negative offset", { offsetBytes: -1 }, "from byte -1 on; give a whole number from 0 on"],
    [
      "a size of nothing",
      { sizeLimitBytes: 0 },
      "with a size of 0 bytes; give a whole number from 512 on",
    ],
    [
      "an odd block",
      { blockBytes: 520 },
      "in blocks of 520 bytes; give a power of two from 512 to 4096",
    ],
  ])("refuses %s", async (_what, binding, problem) => {
    const refused = await refusalOf({ file: GOOD, ...binding });
    expect(refused).toBe(`EINVAL: loop device "loop0": good ${problem}`);
  });

  it("refuses what is neither a regular file nor a block device", async () => {
    const file: BackingFile = Object.assign(new OddFile(4096), { kind: "other" as const });
    expect(await refusalOf({ file })).toBe(
      'EINVAL: loop device "loop0": odd is neither a regular file nor a block device; give one of these',
    );
  });

  it("refuses a part of a device that leaves it", async () => {
    const file = setting.fileOf(setting.disk("sda", 16));
    expect(await refusalOf({ file, offsetBytes: 4096, sizeLimitBytes: 8192 })).toBe(
      'EINVAL: loop device "loop0": device sda is 8192 bytes long and cannot grow; 12288 are asked for',
    );
    expect(await refusalOf({ file, offsetBytes: 100 })).toContain("a multiple of 512");
  });

  it("refuses a loop device that would stand on itself, through however many others", () =>
    inTask(async (task) => {
      const loop0 = setting.loop();
      const loop1 = setting.loop({ name: "loop1" });
      const loop2 = setting.loop({ name: "loop2" });
      const sda = setting.disk("sda", 64);
      await loop0.bind({ file: setting.fileOf(sda) }, task);
      await loop1.bind({ file: setting.fileOf(loop0) }, task);
      await loop2.bind({ file: setting.fileOf(loop1) }, task);
      await loop0.unbind(task);
      const { message, errno } = await errorOf(loop0.bind({ file: sized(loop2, 4096) }, task));
      expect(errno).toBe("EBADF");
      expect(message).toContain("it would stand on itself: loop0 -> loop2 -> loop1 -> loop0");
      const self = await errorOf(loop0.bind({ file: sized(loop0, 4096) }, task));
      expect(self.message).toContain("loop0 -> loop0");
    }));

  it("is for one at a time", () =>
    inTask(async (task) => {
      const loop = await setting.bound({ file: GOOD }, task);
      expect((await errorOf(loop.bind({ file: GOOD }, task))).errno).toBe("EBUSY");
      await loop.unbind(task);
      expect((await errorOf(loop.unbind(task))).errno).toBe("ENXIO");
      await loop.bind({ file: GOOD }, task);
    }));

  it("says in the limits what the file and the binding can", () =>
    inTask(async (task) => {
      const loop = await setting.bound({ file: GOOD, blockBytes: 4096 }, task);
      expect(loop.queue.limits).toMatchObject({
        logicalBlockBytes: 4096,
        physicalBlockBytes: 4096,
        hasVolatileCache: true,
        maxSectors: 65_536,
        maxSegments: 256,
      });
      expect(loop.sizeSectors).toBe(16);
      await loop.unbind(task);
      expect(loop.sizeSectors).toBe(0);
    }));

  it("has writes make the file longer, up to the size that was given and no further", () =>
    inTask(async (task) => {
      const file = new RamFile({ label: "f", sizeBytes: 1024 });
      const loop = await setting.bound({ file, offsetBytes: 512, sizeLimitBytes: 4096 }, task);
      expect(loop.sizeSectors).toBe(8);
      expect(await setting.run(loop, readOf(7, 1), task)).toBe(BioStatus.IoError);
      expect(await setting.run(loop, writeOf(7, 1), task)).toBe(BioStatus.Ok);
      expect(file.sizeBytes).toBe(4608);
      expect(await setting.run(loop, readOf(7, 1), task)).toBe(BioStatus.Ok);
      expect(await setting.run(loop, writeOf(8, 1), task)).toBe(BioStatus.IoError);
      expect(file.sizeBytes).toBe(4608);
    }));

  it.each<[string, boolean, boolean]>([
    ["the file is", true, false],
    ["that is asked", false, true],
  ])("is read-only when %s", (_when, ofFile, asked) =>
    inTask(async (task) => {
      const file = new RamFile({ label: "f", sizeBytes: 4096, isReadOnly: ofFile });
      const loop = await setting.bound({ file, isReadOnly: asked }, task);
      expect(await setting.run(loop, writeOf(0, 1), task)).toBe(BioStatus.ReadOnly);
      expect(await setting.run(loop, readOf(0, 1), task)).toBe(BioStatus.Ok);
    }),
  );

  it("keeps the pages of the file from I/O and filesystems, until it is over", () =>
    inTask(async (task) => {
      for (const gfp of [GFP_KERNEL, GFP_NOFS]) {
        const file = Object.assign(new OddFile(4096), { pageCacheGfp: gfp });
        const loop = await setting.bound({ file }, task);
        expect(file.pageCacheGfp).toBe(GFP_NOIO);
        await loop.unbind(task);
        expect(file.pageCacheGfp).toBe(gfp);
      }
    }));

  it("is refused to fewer workers than one", () => {
    expect(() => setting.loop({ workers: 0 })).toThrow("0 workers; give a whole number from 1 on");
  });
});

describe("a device that nothing is bound to", () => {
  it("ends every bio with an I/O error", () =>
    inTask(async (task) => {
      const loop: LoopDevice = setting.loop();
      expect(await setting.run(loop, readOf(0, 1), task)).toBe(BioStatus.IoError);
      expect(await setting.run(loop, flushBio(BioFlag.Preflush), task)).toBe(BioStatus.IoError);
    }));

  it("is let go of only when all its commands have ended", async () => {
    const file = new OddFile(65_536);
    const story: string[] = [];
    const loop = setting.loop();
    scheduler.spawn("user", async (task) => {
      await loop.bind({ file }, task);
      for (const sector of [0, 8]) {
        const bio = writeOf(sector, 8);
        bio.device = loop;
        bio.endIo = ({ status }) => story.push(`${bio.toString()}: ${String(status)}`);
        await setting.submitter.submitBio(bio, task);
      }
      await loop.unbind(task);
      story.push("unbound");
      expect(await setting.run(loop, readOf(0, 1), task)).toBe(BioStatus.IoError);
    });
    await scheduler.run();
    expect(story).toEqual(["WRITE loop0 [0..8): 0", "WRITE loop0 [8..16): 0", "unbound"]);
    expect(file.calls).toHaveLength(2);
  });
});

/** The device of an unbound loop as a file that has a size. */
function sized(device: LoopDevice, sizeBytes: number): BackingFile {
  const file = new OddFile(sizeBytes);
  return Object.assign(file, { kind: "block" as const, device });
}

async function errorOf(attempt: Promise<void>): Promise<BlockError> {
  const error: unknown = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof BlockError) return error;
  throw new TypeError(`no BlockError but ${String(error)}`);
}
