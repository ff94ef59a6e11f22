import { type Bio, BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { EventLoopScheduler } from "@blkstack/task/node";
import fc from "fast-check";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { dataOf, ended, pattern, planBio } from "@blkstack/block/testing";
import { errno, type HeldCall, holdingFiles } from "../test/files.ts";
import { fileDisk, freshPath } from "../test/images.ts";
import { FileDisk } from "./file-disk.ts";

const { Read, Write, Flush, Discard, WriteZeroes, SecureErase, ZoneReset } = BioOp;
const { Fua, Preflush, NoUnmap } = BioFlag;

describe("the data of a FileDisk", () => {
  it.each([
    ["inside the call", { syncLimitBytes: 256 * 1024 }],
    ["inside the call by Node alone", { syncLimitBytes: 256 * 1024, calls: null }],
    ["on threads", { syncLimitBytes: 0 }],
    ["some inside, some on threads", { syncLimitBytes: 20_000 }],
  ])("is what a plain array of bytes would hold, served %s", async (_how, options) => {
    const step = fc.record({
      op: fc.constantFrom(Read, Write, Write, WriteZeroes, Flush, Discard),
      sector: fc.nat(399),
      sectors: fc.integer({ min: 1, max: 300 }),
      cuts: fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 12 }),
      flags: fc.constantFrom(0, 0, 0, Fua, Preflush, Fua | Preflush, NoUnmap),
      seed: fc.nat(255),
    });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const path = freshPath();
      const disk = await fileDisk({ path, ...options });
      const model = new Uint8Array(400 * SECTOR_BYTES);
      for (const { op, seed, ...plan } of steps) {
        const sectors = op === Flush ? 0 : Math.min(plan.sectors, 400 - plan.sector);
        const start = plan.sector * SECTOR_BYTES;
        const range = model.subarray(start, start + sectors * SECTOR_BYTES);
        const data = pattern(sectors, seed);
        const bio = planBio({ ...plan, op, sectors, data });
        expect(await ended(disk, bio)).toBe(BioStatus.Ok);
        if (op === Read) expect(Buffer.compare(dataOf(bio), range)).toBe(0);
        else if (op === Write) range.set(data);
        else if (op === WriteZeroes) range.fill(0);
        else if (op === Discard && isZero(path, start, range.length)) range.fill(0);
      }
      await disk.close();
      expect(Buffer.compare(fs.readFileSync(path), model)).toBe(0);
      fs.rmSync(path);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it.each([256 * 1024, 0])(
    "survives calls that move little, are interrupted, or ask to come again (sync up to %d)",
    async (syncLimitBytes) => {
      let calls = 0;
      const few = (views: readonly Uint8Array[]): Uint8Array[] => {
        calls += 1;
        if (calls % 3 === 1) throw errno(calls % 2 === 0 ? "EINTR" : "EAGAIN");
        return views.slice(0, 1).map((view) => view.subarray(0, 333));
      };
      const files = {
        ...fs,
        readSync: (fd: number, bytes: Uint8Array, offset: number, length: number, at: number) =>
          fs.readvSync(fd, few([bytes.subarray(offset, offset + length)]), at),
        writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number, at: number) =>
          fs.writevSync(fd, few([bytes.subarray(offset, offset + length)]), at),
        readvSync: (fd: number, views: readonly Uint8Array[], at: number) =>
          fs.readvSync(fd, few(views), at),
        writevSync: (fd: number, views: readonly Uint8Array[], at: number) =>
          fs.writevSync(fd, few(views), at),
        readv: onThread(fs.readv, few),
        writev: onThread(fs.writev, few),
      };
      const disk = await fileDisk({ files, syncLimitBytes });
      const data = pattern(40, 7);
      for (const cuts of [[], [700, 1, 4000]]) {
        const write = planBio({ op: Write, sector: 30, sectors: 40, cuts, data });
        expect(await ended(disk, write)).toBe(BioStatus.Ok);
        const read = planBio({ op: Read, sector: 30, sectors: 40, cuts: [13, 5000] });
        expect(await ended(disk, read)).toBe(BioStatus.Ok);
        expect(Buffer.compare(dataOf(read), data)).toBe(0);
        const zero = planBio({ op: WriteZeroes, sector: 31, sectors: 5 });
        expect(await ended(disk, zero)).toBe(BioStatus.Ok);
      }
      await disk.close();
    },
  );

  it.each([256 * 1024, 0])(
    "goes on from where the iterator of a half-done bio stands (sync up to %d)",
    async (syncLimitBytes) => {
      const disk = await fileDisk({ syncLimitBytes });
      const data = pattern(4, 1);
      for (const cuts of [[], [1500], [700, 500]]) {
        const zero = planBio({ op: WriteZeroes, sector: 8, sectors: 4 });
        expect(await ended(disk, zero)).toBe(BioStatus.Ok);
        const write = planBio({ op: Write, sector: 8, sectors: 4, cuts, data });
        write.advance(1024);
        expect(await ended(disk, write)).toBe(BioStatus.Ok);
        const read = planBio({ op: Read, sector: 8, sectors: 4 });
        expect(await ended(disk, read)).toBe(BioStatus.Ok);
        expect(dataOf(read).subarray(0, 1024)).toEqual(new Uint8Array(1024));
        expect(dataOf(read).subarray(1024)).toEqual(data.subarray(1024));
      }
      await disk.close();
    },
  );

  it("is all there when the file is opened again", async () => {
    const path = freshPath();
    const first = await fileDisk({ path });
    const data = pattern(9, 1);
    await ended(first, planBio({ op: Write, sector: 391, sectors: 9, data }));
    await first.close();
    const scheduler = new EventLoopScheduler();
    const second = await FileDisk.open({ name: "again", path, scheduler, isReadOnly: true });
    const read = planBio({ op: Read, sector: 391, sectors: 9 });
    expect(await ended(second, read)).toBe(BioStatus.Ok);
    expect(dataOf(read)).toEqual(data);
    expect([first.isNew, second.isNew]).toEqual([true, false]);
    await second.close();
  });
});

/** A discard may do nothing, or all. */
function isZero(path: string, offset: number, length: number): boolean {
  return fs
    .readFileSync(path)
    .subarray(offset, offset + length)
    .every((byte) => byte === 0);
}

type AsyncCall = (
  fd: number,
  views: readonly Uint8Array[],
  position: number,
  done: (error: NodeJS.ErrnoException | null, count: number) => void,
) => void;

/** The same moods for a call that answers later. */
function onThread(
  call: AsyncCall,
  mood: (views: readonly Uint8Array[]) => Uint8Array[],
): AsyncCall {
  return (fd, views, position, done) => {
    try {
      call(fd, mood(views), position, done);
    } catch (error) {
      setImmediate(done, error as NodeJS.ErrnoException, 0);
    }
  };
}

describe("what a FileDisk refuses", () => {
  it("a bio that reaches beyond the end, or an operation that files do not know", async () => {
    const disk = await fileDisk();
    for (const op of [Read, Write, Discard, WriteZeroes]) {
      expect(await ended(disk, planBio({ op, sector: 393, sectors: 8 }))).toBe(BioStatus.IoError);
    }
    for (const op of [SecureErase, ZoneReset]) {
      const bio = planBio({ op, sector: 0, sectors: 8 });
      expect(await ended(disk, bio)).toBe(BioStatus.NotSupported);
    }
    await disk.close();
  });

  it("writes to a read-only disk; flushes have nothing to do there", async () => {
    const path = freshPath();
    fs.writeFileSync(path, new Uint8Array(4096));
    const scheduler = new EventLoopScheduler();
    const disk = await FileDisk.open({ name: "ro", path, scheduler, isReadOnly: true });
    for (const op of [Write, Discard, WriteZeroes]) {
      const bio = planBio({ op, sector: 0, sectors: 1 });
      expect(await ended(disk, bio)).toBe(BioStatus.ReadOnly);
    }
    expect(await ended(disk, planBio({ op: Flush, sector: 0, sectors: 0 }))).toBe(BioStatus.Ok);
    await disk.close();
  });

  it("a read of what somebody cut off the file", async () => {
    const path = freshPath();
    const disk = await fileDisk({ path });
    fs.truncateSync(path, 5000);
    for (const sectors of [8, 300]) {
      const bio = planBio({ op: Read, sector: 8, sectors });
      expect(await ended(disk, bio)).toBe(BioStatus.IoError);
    }
    await disk.close();
  });
});

describe("errors of the host", () => {
  it.each([
    ["ENOSPC", BioStatus.NoSpace],
    ["EDQUOT", BioStatus.NoSpace],
    ["EROFS", BioStatus.ReadOnly],
    ["EPERM", BioStatus.ReadOnly],
    ["EIO", BioStatus.IoError],
    ["ENOMEM", BioStatus.Resource],
    ["EAGAIN", BioStatus.Again],
    ["ESTALE", BioStatus.IoError],
  ])("%s becomes status %d, inside the call and on a thread", async (code, status) => {
    const files = {
      ...fs,
      writeSync: (): number => {
        throw errno(code);
      },
      writev: (...[, , , done]: Parameters<AsyncCall>) => {
        setImmediate(done, errno(code), 0);
      },
    };
    const disk = await fileDisk({ files, syncLimitBytes: 4096 });
    for (const [op, sectors] of [
      [Write, 8],
      [Write, 100],
      [WriteZeroes, 8],
    ] as const) {
      expect(await ended(disk, planBio({ op, sector: 0, sectors }))).toBe(status);
    }
    await disk.close().catch(() => undefined);
  });
});

describe("operations in flight", () => {
  it("are at most as many as allowed; the others wait their turn and all end", async () => {
    const held: HeldCall[] = [];
    const files = holdingFiles(held);
    const disk = await fileDisk({ files, maxInFlight: 3, syncLimitBytes: 0 });
    const statuses = Array.from({ length: 10 }, (_, index) =>
      ended(disk, planBio({ op: index % 2 === 0 ? Read : Write, sector: index, sectors: 2 })),
    );
    for (let done = 0; done < 10; done += 1) {
      expect(held.length).toBe(Math.min(3, 10 - done));
      await held.shift()?.release();
    }
    expect(await Promise.all(statuses)).toEqual(new Array(10).fill(BioStatus.Ok));
    const closed = disk.close();
    await held.shift()?.release();
    await closed;
  });

  it("end before the disk is closed, and what comes later is refused", async () => {
    const held: HeldCall[] = [];
    const disk = await fileDisk({ files: holdingFiles(held), syncLimitBytes: 0 });
    const story: string[] = [];
    const write = ended(disk, planBio({ op: Write, sector: 0, sectors: 1 }));
    void write.then((status) => story.push(`write ${String(status)}`));
    const closed = disk.close();
    void closed.then(() => story.push("closed"));
    expect(disk.close()).toBe(closed);
    const late = ended(disk, planBio({ op: Read, sector: 0, sectors: 1 }));
    expect(await late).toBe(BioStatus.IoError);
    expect(story).toEqual([]);
    expect(held.map(({ name }) => name)).toEqual(["writev"]);
    await held.shift()?.release();
    await write;
    await new Promise(setImmediate);
    expect(held.map(({ name }) => name)).toEqual(["fdatasync"]);
    await held.shift()?.release();
    await closed;
    expect(story).toEqual(["write 0", "closed"]);
  });

  it("leave no open file behind after close, and may be none", async () => {
    const path = freshPath();
    const disk = await fileDisk({ path });
    const open = (): string[] =>
      fs.readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      });
    expect(open()).toHaveLength(1);
    await disk.close();
    expect(open()).toHaveLength(0);
  });
});

describe("the end of a bio", () => {
  it("is interrupt context, served at once or later", async () => {
    const scheduler = new EventLoopScheduler();
    const disk = await fileDisk({ scheduler, syncLimitBytes: 4096 });
    for (const sectors of [8, 16]) {
      const bio = planBio({ op: Read, sector: 0, sectors });
      await new Promise<void>((resolve) => {
        bio.endIo = (done: Bio) => {
          expect(scheduler.inInterrupt).toBe(true);
          expect(done.sectors).toBe(sectors);
          resolve();
        };
        disk.submitBio(bio);
      });
    }
    await disk.close();
  });
});

describe("discards", () => {
  it("keep the data where no hole can be made", async () => {
    const disk = await fileDisk({ calls: null });
    const data = pattern(8, 3);
    await ended(disk, planBio({ op: Write, sector: 0, sectors: 8, data }));
    const discard = planBio({ op: Discard, sector: 0, sectors: 8 });
    expect(await ended(disk, discard)).toBe(BioStatus.Ok);
    const read = planBio({ op: Read, sector: 0, sectors: 8 });
    await ended(disk, read);
    expect(dataOf(read)).toEqual(data);
    await disk.close();
  });

  it("and zeroes go to the hole puncher, unless they must not unmap", async () => {
    const punched: string[] = [];
    const holes = {
      punch: (
        _fd: number,
        range: { offsetBytes: number; lengthBytes: number },
        done: (error: null) => void,
      ) => {
        punched.push(`${String(range.offsetBytes)}+${String(range.lengthBytes)}`);
        done(null);
      },
    };
    const disk = await fileDisk({ holes });
    await ended(disk, planBio({ op: Discard, sector: 2, sectors: 3 }));
    await ended(disk, planBio({ op: WriteZeroes, sector: 10, sectors: 1 }));
    await ended(disk, planBio({ op: WriteZeroes, sector: 20, sectors: 1, flags: NoUnmap }));
    expect(punched).toEqual(["1024+1536", "5120+512"]);
    await disk.close();
  });

  it("and zeroes go well where the filesystem knows no holes", async () => {
    const holes = {
      punch: (_fd: number, _range: object, done: (error: NodeJS.ErrnoException) => void) => {
        done(errno("EOPNOTSUPP"));
      },
    };
    const disk = await fileDisk({ holes });
    await ended(disk, planBio({ op: Write, sector: 0, sectors: 8, data: pattern(8, 3) }));
    const discard = planBio({ op: Discard, sector: 0, sectors: 8 });
    expect(await ended(disk, discard)).toBe(BioStatus.Ok);
    const zero = planBio({ op: WriteZeroes, sector: 0, sectors: 8 });
    expect(await ended(disk, zero)).toBe(BioStatus.Ok);
    const read = planBio({ op: Read, sector: 0, sectors: 8 });
    await ended(disk, read);
    expect(dataOf(read)).toEqual(new Uint8Array(4096));
    await disk.close();
  });
});

it("options that make no sense are refused before anything is made", async () => {
  for (const wrong of [
    { maxInFlight: 0 },
    { maxInFlight: 1.5 },
    { syncLimitBytes: -1 },
    { limits: { maxSegments: 0 } },
  ]) {
    const path = freshPath();
    await expect(fileDisk({ path, ...wrong })).rejects.toThrow(BlockError);
    expect(fs.existsSync(path)).toBe(false);
  }
});
