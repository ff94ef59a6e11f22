import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { LateDisk } from "@blkstack/conformance";
import { allFail } from "@blkstack/memory";
import { isPending, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { Rig } from "../test/rig.ts";

const SECTORS = 8004;
const OK = BioStatus.Ok;

let scheduler: VirtualScheduler;
let rig: Rig;
let disk: LateDisk;

beforeEach(() => {
  scheduler = new VirtualScheduler({ isExploring: false });
  rig = new Rig(scheduler);
  disk = rig.add(new LateDisk({ name: "base", sizeSectors: SECTORS, scheduler }));
});

/** Runs `body` over a cache of 64 blocks of 4 KiB, and removes it afterwards. */
async function over(features: string, body: (task: Task) => Promise<void>): Promise<void> {
  await scheduler.perform("t", async (task) => {
    const table = `0 ${String(SECTORS)} cache base 4096 64 ${features}`.trim();
    await rig.dm.create("c", task, { table });
    await body(task);
    await rig.dm.remove("c", task);
  });
}

function info(): string {
  return rig.dm.status("c").join();
}

describe("a table", () => {
  it.each([
    ["", "0 8004 cache base 4096 64 1 writeback"],
    ["0", "0 8004 cache base 4096 64 1 writeback"],
    ["1 writethrough", "0 8004 cache base 4096 64 1 writethrough"],
    ["2 bypass_sectors 64", "0 8004 cache base 4096 64 3 writeback bypass_sectors 64"],
  ])("with features %o is told as one that makes the same", async (features, told) => {
    await over(features, () => {
      expect(rig.dm.table("c")).toEqual([told]);
      return Promise.resolve();
    });
  });

  it.each([
    ["base 4096", "Invalid argument count"],
    ["base 1000 64", "Invalid block size"],
    ["base 4096 15", "Invalid cache size"],
    ["base 4096 x", "Invalid cache size"],
    ["base 4096 64 2 writeback", "Invalid number of feature arguments"],
    ["base 4096 64 1 fast", "Unrecognised cache feature requested"],
    ["base 4096 64 1 bypass_sectors", "Invalid device sector"],
    ["none 4096 64", "Device lookup failed"],
    ["base 8388608 64", "Block is larger than the target"],
  ])("of %o is refused: %s", async (args, complaint) => {
    const table = `0 ${String(SECTORS)} cache ${args}`;
    await expect(scheduler.perform("t", (task) => rig.dm.create("c", task, { table })))
      .rejects //
      .toThrow(complaint);
  });

  it("is refused without memory for what makes it go on without", async () => {
    rig.memory.faultPlan = { fails: (site) => site.startsWith("buffers of") };
    await expect(over("", () => Promise.resolve())).rejects.toThrow("Cannot make the cache");
  });
});

describe("a read", () => {
  it("asks the device once, and is then answered at once, with no promise", async () => {
    disk.bytes.fill(7);
    await over("", async (task) => {
      expect(await rig.read(3, 2, task)).toEqual([7, 7]);
      expect(disk.log).toEqual(["READ 0+8"]);
      const again = rig.perform(rig.bio(BioOp.Read, 0, new Uint8Array(4096)), task);
      expect(isPending(again)).toBe(false);
      expect(disk.log).toEqual(["READ 0+8"]);
      expect(info()).toBe("0 8004 cache 4096 1/64 1 1 0 0 0 0 0 writeback");
    });
  });

  it("of several blocks reads those that are missing", async () => {
    disk.bytes.forEach((_, at) => (disk.bytes[at] = at >>> 12));
    await over("", async (task) => {
      await rig.read(8, 8, task);
      disk.log.length = 0;
      expect(await rig.read(4, 16, task)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
      expect(disk.log).toEqual(["READ 0+8", "READ 16+8"]);
    });
  });

  it("that is large goes past the cache, unless that knows better", async () => {
    await over("2 bypass_sectors 64", async (task) => {
      await rig.read(0, 64, task);
      expect(disk.log).toEqual(["READ 0+64"]);
      await rig.write(8, 1, 5, task);
      expect((await rig.read(0, 64, task)).slice(7, 10)).toEqual([0, 5, 0]);
    });
  });

  it("that fails is told, and asked again", async () => {
    await over("", async (task) => {
      disk.fails = () => true;
      expect(await rig.read(0, 8, task)).toContain(-1);
      disk.fails = () => false;
      expect(await rig.read(0, 8, task)).toEqual(new Array(8).fill(0));
    });
  });

  it("of the last sectors, which make no block, goes to the device", async () => {
    disk.bytes.fill(9);
    await over("", async (task) => {
      expect(await rig.read(8000, 4, task)).toEqual([9, 9, 9, 9]);
      expect(await rig.read(7998, 6, task)).toEqual([9, 9, 9, 9, 9, 9]);
      await rig.write(7998, 6, 3, task);
      await rig.flush(task);
      expect(await rig.read(7998, 6, task)).toEqual([3, 3, 3, 3, 3, 3]);
      expect(disk.at(8003)).toBe(3);
    });
  });
});

describe("a write, written back", () => {
  it("is in the cache only, until a flush", async () => {
    await over("", async (task) => {
      expect(await rig.write(0, 8, 1, task)).toBe(OK);
      expect(await rig.write(9, 1, 2, task)).toBe(OK);
      expect(disk.log).toEqual(["READ 8+8"]);
      expect(await rig.read(0, 10, task)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 2]);
      expect(await rig.flush(task)).toBe(OK);
      expect(disk.log).toEqual(["READ 8+8", "WRITE 0+8", "WRITE 8+8", "FLUSH"]);
    });
    expect([disk.at(7), disk.at(8), disk.at(9)]).toEqual([1, 0, 2]);
  });

  it("of a cached block is acknowledged at once, with no promise", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      const again = rig.write(2, 2, 2, task);
      expect(isPending(again)).toBe(false);
      expect(disk.log).toEqual([]);
    });
  });

  it("with FUA is on the device when it ends, and what is dirty besides stays", async () => {
    await over("", async (task) => {
      await rig.write(0, 2, 1, task);
      disk.log.length = 0;
      await rig.write(2, 2, 2, task, BioFlag.Fua);
      expect(disk.log).toEqual(["WRITE 2+2 FUA"]);
      expect(await rig.read(0, 5, task)).toEqual([1, 1, 2, 2, 0]);
      expect(disk.at(0)).toBe(0);
    });
    expect([disk.at(0), disk.at(2)]).toEqual([1, 2]);
  });

  it("that is large goes past the cache, and into what is cached", async () => {
    await over("2 bypass_sectors 64", async (task) => {
      await rig.write(0, 8, 1, task);
      await rig.write(0, 64, 2, task);
      expect(disk.log).toEqual(["WRITE 0+64"]);
      expect(await rig.read(0, 16, task)).toEqual(new Array(16).fill(2));
    });
    expect(disk.at(0)).toBe(2);
  });

  it("is told of by the next flush when it could not be written, once", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      disk.fails = ({ op, sizeBytes }) => op === BioOp.Write && sizeBytes > 0;
      expect(await rig.flush(task)).toBe(BioStatus.IoError);
      disk.fails = () => false;
      expect(await rig.flush(task)).toBe(OK);
      // What could not be written is lost: the device has what it had.
      expect(await rig.read(0, 1, task)).toEqual([0]);
    });
  });

  it("is bounded: much more than fits is written and read again", async () => {
    await over("", async (task) => {
      for (let block = 0; block < 500; block += 1) await rig.write(block * 8, 8, block % 251, task);
      expect(Number(info().split(" ")[4]?.split("/")[0])).toBeLessThanOrEqual(64);
      for (let block = 0; block < 500; block += 1) {
        expect(await rig.read(block * 8 + 3, 1, task)).toEqual([block % 251]);
      }
    });
    for (let block = 0; block < 500; block += 1) expect(disk.at(block * 8)).toBe(block % 251);
  });

  it("goes on without any memory", async () => {
    await over("", async (task) => {
      rig.memory.faultPlan = allFail;
      for (let block = 0; block < 100; block += 1) await rig.write(block * 8, 4, block, task);
      for (let block = 0; block < 100; block += 1) {
        expect(await rig.read(block * 8, 1, task)).toEqual([block]);
      }
      rig.memory.faultPlan = null;
    });
  });
});

describe("a write, written through", () => {
  it("is on the device when it ends, and in what is cached", async () => {
    await over("1 writethrough", async (task) => {
      await rig.read(0, 8, task);
      await rig.write(1, 2, 4, task);
      expect(disk.log).toEqual(["READ 0+8", "WRITE 1+2"]);
      expect(await rig.read(0, 4, task)).toEqual([0, 4, 4, 0]);
      await rig.flush(task);
      expect(disk.log).toEqual(["READ 0+8", "WRITE 1+2", "FLUSH"]);
    });
  });

  it("that fails leaves nothing cached that the device has not", async () => {
    await over("1 writethrough", async (task) => {
      await rig.read(0, 8, task);
      disk.fails = ({ op }) => op === BioOp.Write;
      expect(await rig.write(0, 8, 4, task)).toBe(BioStatus.IoError);
      expect(await rig.read(0, 1, task)).toEqual([0]);
      disk.fails = () => false;
    });
  });
});

describe("a discard, or zeroing", () => {
  it.each([BioOp.Discard, BioOp.WriteZeroes])("is seen in what was cached (%i)", async (op) => {
    await over("", async (task) => {
      await rig.write(0, 32, 1, task);
      expect(await rig.range(op, 4, 20, task)).toBe(OK);
      const expected = Array.from({ length: 32 }, (_, sector) => +(sector < 4 || sector >= 24));
      expect(await rig.read(0, 32, task)).toEqual(expected);
    });
  });

  it("that the device refuses loses nothing", async () => {
    await over("", async (task) => {
      await rig.write(0, 16, 1, task);
      disk.fails = ({ op }) => op === BioOp.Discard;
      expect(await rig.range(BioOp.Discard, 0, 16, task)).toBe(BioStatus.IoError);
      expect(await rig.read(0, 16, task)).toEqual(new Array(16).fill(1));
    });
  });

  it("of a range much larger than the cache is no matter", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      expect(await rig.range(BioOp.WriteZeroes, 0, 8000, task)).toBe(OK);
      expect(await rig.read(0, 1, task)).toEqual([0]);
    });
  });
});

describe("what is under way below", () => {
  /** Tasks that send one bio each, in this order, while the disk has not ended any. */
  async function sending(...bodies: ((task: Task) => Promise<unknown>)[]): Promise<void> {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    rig = new Rig(scheduler);
    disk = rig.add(new LateDisk({ name: "base", sizeSectors: SECTORS, scheduler }));
    disk.bytes.fill(9);
    const table = `0 ${String(SECTORS)} cache base 4096 64`;
    await scheduler.perform("begin", (task) => rig.dm.create("c", task, { table }));
    for (const [index, body] of bodies.entries()) {
      scheduler.spawn(`t${String(index)}`, async (task) => {
        await body(task);
      });
      await scheduler.runTasks();
    }
  }

  const first = async (): Promise<number[]> => {
    const read = await scheduler.perform("reader", (task) => rig.read(0, 8, task));
    await scheduler.perform("end", (task) => rig.dm.remove("c", task));
    return read;
  };

  it.each([
    ["zeroing", 0, (task: Task) => rig.range(BioOp.WriteZeroes, 0, 8, task)],
    ["FUA", 5, (task: Task) => rig.write(0, 8, 5, task, BioFlag.Fua)],
  ] as const)("a read, does not bring old content back after %s", async (_name, byte, change) => {
    await sending(
      (task) => rig.read(0, 8, task),
      async (task) => change(task),
    );
    expect(disk.log).toEqual(["READ 0+8"]);
    await scheduler.run();
    expect(await first()).toEqual(new Array(8).fill(byte));
  });

  it("a write-back, is not overtaken by a write that goes through", async () => {
    await sending(
      async (task) => rig.write(0, 8, 1, task),
      (task) => rig.dm.message("c", 0, ["writeback"], task),
      async (task) => rig.write(0, 8, 2, task, BioFlag.Fua),
    );
    expect(disk.log).toEqual(["WRITE 0+8"]);
    await scheduler.run();
    expect(disk.log).toEqual(["WRITE 0+8", "WRITE 0+8 FUA"]);
    expect(await first()).toEqual(new Array(8).fill(2));
  });

  it("a write-back, has the bytes that it began with: who changes them waits", async () => {
    await sending(
      async (task) => rig.write(0, 8, 1, task),
      (task) => rig.dm.message("c", 0, ["writeback"], task),
      async (task) => rig.write(0, 8, 2, task),
      async (task) => rig.write(0, 4, 3, task),
    );
    scheduler.completeInterrupt(0);
    expect(disk.at(0)).toBe(1);
    await scheduler.run();
    expect(await first()).toContain(2);
  });

  it("zeroing, is not undone by a write to its blocks that comes before it ends", async () => {
    await sending(
      async (task) => rig.write(0, 16, 1, task),
      async (task) => rig.range(BioOp.WriteZeroes, 4, 12, task),
    );
    // Both blocks are written first; one of them has arrived.
    scheduler.completeInterrupt(0);
    await scheduler.runTasks();
    scheduler.spawn("writer", async (task) => {
      await rig.write(0, 1, 2, task);
    });
    await scheduler.run();
    expect(await first()).toEqual([2, 1, 1, 1, 0, 0, 0, 0]);
  });

  it("a write that goes through, is seen by nobody before it ends", async () => {
    let seen: number[] = [];
    await sending(
      (task) => rig.read(0, 8, task),
      async (task) => {
        await rig.write(0, 8, 5, task, BioFlag.Fua);
      },
    );
    scheduler.completeInterrupt(0);
    await scheduler.runTasks();
    scheduler.spawn("reader", async (task) => {
      seen = await rig.read(0, 8, task);
    });
    await scheduler.runTasks();
    expect(seen).toEqual([]);
    await scheduler.run();
    expect(seen).toEqual(new Array(8).fill(5));
    await first();
  });
});

describe("people", () => {
  it("who suspend the device find all on the one below, and it goes on after", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      await rig.dm.suspend("c", task);
      expect(disk.at(0)).toBe(1);
      expect(disk.log.at(-1)).toBe("FLUSH");
      await rig.dm.resume("c", task);
      disk.log.length = 0;
      expect(await rig.read(0, 8, task)).toEqual(new Array(8).fill(1));
      expect(disk.log).toEqual([]);
    });
  });

  it("who load another table find what the one before had not written", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      await rig.dm.load("c", `0 ${String(SECTORS)} cache base 512 100 1 writethrough`, task);
      await rig.dm.resume("c", task);
      expect(await rig.read(0, 8, task)).toEqual(new Array(8).fill(1));
      expect(rig.dm.table("c").join()).toContain("512 100 1 writethrough");
    });
  });

  it("are told in the log, and by the next flush, of what a suspend could not write", async () => {
    await over("", async (task) => {
      await rig.write(0, 8, 1, task);
      disk.fails = ({ op }) => op === BioOp.Write;
      await rig.dm.suspend("c", task);
      disk.fails = () => false;
      expect(rig.lines.join()).toContain("write-back failed before a suspend: EIO");
      await rig.dm.resume("c", task);
      expect(await rig.flush(task)).toBe(BioStatus.IoError);
      expect(await rig.flush(task)).toBe(OK);
    });
  });

  it("send messages: flush, writeback, stats, minimum", async () => {
    await over("", async (task) => {
      const send = (words: string): Promise<string> =>
        rig.dm.message("c", 0, words.split(" "), task);
      await rig.write(0, 8, 1, task);
      await send("writeback");
      expect(disk.log).toEqual(["WRITE 0+8"]);
      await send("flush");
      expect(disk.log.at(-1)).toBe("FLUSH");
      expect(await send("stats")).toBe("4096 1/64 0 0 0 1 0 0 0 writeback");
      await send("minimum 100");
      expect(info()).toContain("1/100");
      for (const words of ["minimum", "minimum 0", "minimum x", "flush now", "dance"]) {
        await expect(send(words)).rejects.toThrow(BlockError);
      }
      await rig.write(0, 8, 1, task);
      disk.fails = ({ op }) => op === BioOp.Write;
      await expect(send("flush")).rejects.toThrow("what is dirty could not be written: EIO");
      disk.fails = () => false;
    });
  });
});

it("a device without a cache of its own is flushed all the same where writes are kept back", async () => {
  disk.queue.limits = { ...disk.queue.limits, hasVolatileCache: false };
  await over("", async (task) => {
    await rig.write(0, 8, 6, task);
    expect(await rig.flush(task)).toBe(OK);
    expect(disk.at(0)).toBe(6);
  });
});
