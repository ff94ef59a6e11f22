import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { failSectors } from "@blkstack/disk-ram";
import { allFail } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { endAt, linesOf, sourceOf } from "../test/log-of.ts";
import { TargetBench, TargetRig, type TargetRigOptions } from "@blkstack/conformance";
import { logWrites } from "./log-writes.ts";

const { Ok, IoError } = BioStatus;

const BLOCKS_OF_4096 = {
  logicalBlockBytes: 4096,
  physicalBlockBytes: 4096,
  ioMinBytes: 4096,
  discardGranularityBytes: 4096,
};

async function benchOf(options: Partial<TargetRigOptions> = {}): Promise<TargetBench> {
  const bench = new TargetBench({ types: [logWrites], ...options });
  await bench.create("0 100 log-writes a b");
  return bench;
}

describe("an entry is in the log", () => {
  it("of a write when a flush that came after its end has ended; of a mark at once", async () => {
    const bench = await benchOf();
    await bench.write(0, 8, 1);
    expect(bench.status()).toBe("0 0");
    await bench.message("mark", "first");
    expect(bench.status()).toBe("1 1");
    await bench.write(16, 1, 2);
    await bench.flush();
    expect(bench.status()).toBe("4 13");
    await bench.message("mark", "end");
    const expected = ["mark first", "write 0+8 1", "write 16+1 2", "flush", "mark end"];
    expect(await linesOf(sourceOf(bench.b))).toEqual(expected);
    expect(bench.a.firstBytes({ sector: 0, sectors: 1 })).toEqual([1]);
  });

  it("of a FUA at its end, before writes that ended earlier", async () => {
    const bench = await benchOf();
    await bench.write(0, 1, 1);
    await bench.start(BioOp.Write, { sector: 8, sectors: 2 }, { byte: 2, flags: BioFlag.Fua });
    expect(await linesOf(sourceOf(bench.b))).toEqual(["fua 8+2 2"]);
  });

  it("of a discard as of a write, without data", async () => {
    const bench = await benchOf();
    await bench.discard(8, 16);
    await bench.flush();
    await bench.message("mark", "m");
    expect(await linesOf(sourceOf(bench.b))).toEqual(["discard 8+16", "flush", "mark m"]);
    expect(bench.status()).toBe("3 3");
  });

  it("of what no flush has come for when the device is removed, and then a mark", async () => {
    const bench = await benchOf();
    await bench.write(5, 1, 7);
    await bench.perform((task) => bench.dm.remove("md", task));
    const expected = ["write 5+1 7", "mark dm-log-writes-end"];
    expect(await linesOf(sourceOf(bench.b))).toEqual(expected);
  });

  it("never of a read, nor of a write that failed", async () => {
    const bench = await benchOf();
    bench.a.faults = failSectors({ startSector: 5, sizeSectors: 1, status: IoError });
    await bench.read(0, 1);
    expect(await bench.write(5, 1, 1)).toBe(IoError);
    await bench.write(6, 1, 2);
    await bench.perform((task) => bench.dm.remove("md", task));
    expect(await linesOf(sourceOf(bench.b))).toEqual(["write 6+1 2", "mark dm-log-writes-end"]);
  });
});

describe("with ends in an order of their own", () => {
  let rig: TargetRig<VirtualScheduler>;

  beforeEach(async () => {
    rig = new TargetRig(new VirtualScheduler({ interrupts: "queued" }), { types: [logWrites] });
    await settle(rig, async (task) => {
      await rig.dm.create("md", task, { table: "0 100 log-writes a b" });
    });
  });

  async function start(sector: number, sectors: number, flags = 0): Promise<void> {
    const { bio } = rig.bio(BioOp.Write, { sector, sectors }, { byte: sector, flags });
    rig.scheduler.spawn("sender", (task) => rig.submitter.submitBio(bio, task));
    await rig.scheduler.runTasks();
  }

  async function end(sector: number, isFlush = false): Promise<void> {
    const index = endAt(rig.scheduler.pendingInterrupts, rig.a, (bio) => {
      return isFlush ? bio.sectors === 0 : bio.sectors > 0 && bio.sector === sector;
    });
    rig.scheduler.completeInterrupt(index);
    await rig.scheduler.runTasks();
  }

  it("a flush takes along what had ended when it came, in the order of its ends", async () => {
    const [a, b, c, d] = [10, 20, 30, 40];
    for (const sector of [a, b, c]) await start(sector, 1);
    await end(c);
    await end(a);
    await start(0, 0);
    await start(d, 1, BioFlag.Fua);
    await end(b);
    await end(0, true);
    await end(d);
    await start(0, 0);
    await end(0, true);
    await rig.scheduler.run();
    await settle(rig, (task) => rig.dm.remove("md", task));
    expect(await linesOf(sourceOf(rig.b))).toEqual([
      ...["write 30+1 30", "write 10+1 10", "flush", "fua 40+1 40", "write 20+1 20", "flush"],
      "mark dm-log-writes-end",
    ]);
  });

  it("a flush that fails makes nothing durable: the next one does", async () => {
    await start(10, 1);
    await end(10);
    rig.a.faults = { statusOf: (bio) => (bio.sizeBytes === 0 ? IoError : Ok) };
    await start(0, 0);
    await end(0, true);
    rig.a.faults = null;
    await start(20, 1);
    await end(20);
    await start(0, 0);
    await end(0, true);
    await rig.scheduler.run();
    await settle(rig, (task) => rig.dm.remove("md", task));
    const expected = ["write 10+1 10", "write 20+1 20", "flush", "mark dm-log-writes-end"];
    expect(await linesOf(sourceOf(rig.b))).toEqual(expected);
  });

  it("a write for whose copy there is no memory waits, and what ended makes room for it", async () => {
    await start(10, 1);
    rig.memory.faultPlan = allFail;
    await start(20, 1);
    const isSent = (): boolean => {
      return endAt(rig.scheduler.pendingInterrupts, rig.a, (bio) => bio.sector === 20) >= 0;
    };
    expect(isSent()).toBe(false);
    rig.memory.faultPlan = null;
    await end(10);
    // No flush has come; the first write is in the log all the same.
    await rig.scheduler.run();
    expect(rig.dm.status("md")).toEqual(["0 100 log-writes 1 2"]);
    expect(rig.a.firstBytes({ sector: 20, sectors: 1 })).toEqual([20]);
    await settle(rig, (task) => rig.dm.remove("md", task));
    const expected = ["write 10+1 10", "write 20+1 20", "mark dm-log-writes-end"];
    expect(await linesOf(sourceOf(rig.b))).toEqual(expected);
  });

  it("and with no memory at all goes on without a log", async () => {
    await start(10, 1);
    rig.memory.faultPlan = allFail;
    await start(20, 1);
    await end(10);
    await rig.scheduler.run();
    expect(rig.a.firstBytes({ sector: 20, sectors: 1 })).toEqual([20]);
    expect(rig.dm.status("md")).toEqual(["0 100 log-writes 1 2 logging_disabled"]);
    expect(rig.lines).toEqual(["md: Out of memory for the log"]);
  });
});

describe("a log that cannot go on", () => {
  it("for lack of space says so; the data goes on, and the log stays as it was", async () => {
    const bench = await benchOf({ secondSectors: 20 });
    await bench.write(0, 8, 1);
    await bench.flush();
    await bench.message("mark", "m");
    await bench.write(8, 8, 2);
    await bench.flush();
    expect(bench.lines).toEqual(["md: Ran out of space on the logdev"]);
    expect(bench.status()).toBe("3 20 logging_disabled");
    expect(await bench.write(16, 4, 3)).toBe(Ok);
    expect(await bench.flush()).toBe(Ok);
    await expect(bench.message("mark", "x")).rejects.toThrow("logging is disabled: Ran out");
    await bench.perform((task) => bench.dm.remove("md", task));
    expect(await linesOf(sourceOf(bench.b))).toEqual(["write 0+8 1", "flush", "mark m"]);
    expect(bench.a.firstBytes({ sector: 0, sectors: 20 }).slice(7)).toEqual([
      1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3,
    ]);
  });

  it("is full to its last sector before it is full", async () => {
    const bench = await benchOf({ secondSectors: 12 });
    await bench.write(0, 8, 1);
    await bench.flush();
    expect(bench.status()).toBe("2 10");
    await bench.message("mark", "m");
    expect(bench.status()).toBe("3 11");
    await expect(bench.message("mark", "n")).rejects.toThrow("logging is disabled");
  });

  it("because its device fails says so, and the data goes on", async () => {
    const bench = await benchOf();
    bench.b.faults = failSectors({ startSector: 3, sizeSectors: 1, status: IoError });
    await bench.message("mark", "m");
    await bench.write(0, 8, 1);
    await bench.flush();
    expect(bench.lines).toEqual(["md: Error writing to the logdev"]);
    expect(bench.status()).toContain("logging_disabled");
    expect(await bench.write(0, 8, 2)).toBe(Ok);
    expect(await linesOf(sourceOf(bench.b))).toEqual(["mark m"]);
  });

  it("from the beginning, with no room for one entry, is as if there were none", async () => {
    const bench = await benchOf({ secondSectors: 1 });
    await expect(bench.message("mark", "m")).rejects.toThrow("Ran out of space");
    expect(bench.status()).toBe("0 1 logging_disabled");
    expect(await bench.write(0, 1, 1)).toBe(Ok);
  });
});

it("a table that never went live leaves the log of the one that does alone", async () => {
  const bench = await benchOf();
  await bench.message("mark", "m");
  await bench.perform(async (task) => {
    await bench.dm.load("md", "0 100 log-writes a b", task);
    await bench.dm.clear("md", task);
  });
  expect(await linesOf(sourceOf(bench.b))).toEqual(["mark m"]);
});

it("a suspended device has all of its log on the disk", async () => {
  const bench = await benchOf();
  await bench.write(0, 1, 1);
  await bench.flush();
  await bench.perform((task) => bench.dm.suspend("md", task));
  const meanwhile = await bench.start(BioOp.Write, { sector: 1, sectors: 1 }, { byte: 2 });
  await bench.perform((task) => bench.dm.resume("md", task));
  expect(meanwhile.status).toBe(Ok);
  await bench.message("mark", "m");
  expect(await linesOf(sourceOf(bench.b))).toEqual(["write 0+1 1", "flush", "mark m"]);
});

it("it asks for flushes and FUA whatever is below, and takes 8 MiB at once at the most", async () => {
  const bench = await benchOf();
  const { hasVolatileCache, hasFua, maxSectors } = bench.dm.get("md").queue.limits;
  expect([hasVolatileCache, hasFua, maxSectors <= 16_384]).toEqual([true, true, true]);
});

it("over a disk with blocks of 4096 bytes counts in these, and its devices in sectors", async () => {
  const bench = new TargetBench({ types: [logWrites], limits: BLOCKS_OF_4096 });
  await bench.create("0 96 log-writes a b");
  expect(bench.status()).toBe("0 7");
  await bench.write(16, 8, 1);
  await bench.discard(32, 16);
  await bench.flush();
  await bench.message("mark", "é".repeat(300));
  expect(bench.status()).toBe("4 47");
  const lines = await linesOf(sourceOf(bench.b));
  expect(lines).toEqual(["write 16+8 1", "discard 32+16", "flush", `mark ${"é".repeat(300)}`]);
  const head = new Uint8Array(512);
  bench.b.peek(8, head);
  expect([...head.subarray(0, 16)]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
});

it("its table names both devices; more arguments are taken, and forgotten", async () => {
  const bench = new TargetBench({ types: [logWrites] });
  await bench.create("0 100 log-writes a b 1");
  expect(bench.table()).toBe("0 100 log-writes 7:0 7:16");
});

describe("a message is refused", () => {
  it.each([
    [["bogus"], "Invalid log-writes message arguments, expect 2 arguments, got 1"],
    [["mark"], "Invalid log-writes message arguments, expect 2 arguments, got 1"],
    [["mark", "a", "b"], "expect 2 arguments, got 3"],
    [["bogus", "a"], "Unrecognised log writes target message received: bogus"],
    [["mark", "é".repeat(240)], "the text of a mark has at most 479 bytes here"],
  ])("%s", async (words, complaint) => {
    const bench = await benchOf();
    await expect(bench.message(...words)).rejects.toThrow(complaint);
    expect(bench.status()).toBe("0 0");
  });
});

describe("a line is refused", () => {
  it.each([
    ["a", "Invalid argument count"],
    ["none b", "Device lookup failed"],
    ["a none", "Log device lookup failed"],
  ])("log-writes %s", async (args, message) => {
    expect(
      await new TargetBench({ types: [logWrites] }).refusal(`0 100 log-writes ${args}`),
    ).toContain(message);
  });

  it("that is longer than its device", async () => {
    const message = await new TargetBench({
      types: [logWrites],
      sizeSectors: 50,
      secondSectors: 1000,
    }).refusal("0 100 log-writes a b");
    expect(message).toContain("a too small for target");
  });
});

/** Does something, with all interrupts handled in the order in which they were raised. */
async function settle(
  rig: TargetRig<VirtualScheduler>,
  body: (task: Task) => Promise<void>,
): Promise<void> {
  await rig.scheduler.perform("commands", body);
}
