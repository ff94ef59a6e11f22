import { Bio, bioEndio, BioOp, BioState, splitBio } from "@blkstack/bio";
import { type BlockDevice, RequestQueue, stackingLimits } from "@blkstack/block";
import { MakeRequest } from "@blkstack/make-request";
import { allFail, failsAt, Memory } from "@blkstack/memory";
import { syncInPath } from "@blkstack/io-group";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { Bench, MIB, named } from "../test/setting.ts";
import { Throttle } from "./throttle.ts";
import { ThrottledDevice } from "./throttled-device.ts";

it("counts what has gone since the statistics were there, each bio once, when it goes", async () => {
  const bench = new Bench();
  const port = bench.port("g", { rbps: MIB });
  await bench.read(port, 4096, "a");
  expect(bench.throttle.ioStat("g", "254:0")).toContain("rbytes=0");
  await bench.scheduler.runTasks();
  await bench.read(port, 131072, "b", "c");
  expect(bench.throttle.ioStat("g", "254:0")).toContain("rios=0");
  await bench.scheduler.advance(1000);
  expect(bench.throttle.ioStat("g", "254:0")).toBe(
    "254:0 rbytes=262144 wbytes=0 rios=2 wios=0 dbytes=0 dios=0",
  );
  expect(bench.throttle.heldHistogram("g").reduce((all, count) => all + count)).toBe(2);
  bench.throttle.resetStats("g");
  expect(bench.throttle.ioStat("g", "d")).toContain("rios=0");
});

it("shows with a group those below it, and counts a bio at its own group only", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent", { limits: { rbps: MIB } });
  const port = bench.port("child", { riops: 5 }, "parent");
  await bench.read(port, 4096, "first");
  await bench.scheduler.advance(1000);
  await bench.read(port, 4096, "second");
  await bench.scheduler.advance(1000);
  expect(bench.throttle.ioStat("parent", "d")).toContain("rios=2");
  expect(bench.throttle.ioStat("child", "d")).toContain("rios=2");
});

it("counts from the first bio on when statistics are allocated in its path", async () => {
  const bench = new Bench({ statsAlloc: syncInPath });
  const port = bench.port("g", {});
  await bench.read(port, 4096, "a");
  expect(bench.throttle.ioStat("g", "d")).toContain("rios=1");
});

it("counts a group and those above it from the first bio on when their statistics were there before", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent");
  bench.throttle.addGroup("child", { parent: "parent", isCountedFromStart: true });
  bench.throttle.addGroup("beside", { parent: "parent", isCountedFromStart: true });
  for (const name of ["child", "beside", "parent"]) {
    await bench.read(bench.throttle.openPort(name), 4096, name);
  }
  expect(bench.throttle.ioStat("child", "d")).toContain("rbytes=4096 wbytes=0 rios=1");
  expect(bench.throttle.ioStat("parent", "d")).toContain("rbytes=12288 wbytes=0 rios=3");
});

it("counts a group that is to be counted from the start from its second bio on when there was no memory", async () => {
  const bench = new Bench();
  bench.memory.faultPlan = allFail;
  bench.throttle.addGroup("parent");
  bench.throttle.addGroup("g", { parent: "parent", isCountedFromStart: true });
  bench.memory.faultPlan = null;
  const port = bench.throttle.openPort("g");
  await bench.read(port, 4096, "first");
  await bench.scheduler.runTasks();
  await bench.read(port, 4096, "second");
  expect(bench.throttle.ioStat("g", "d")).toContain("rios=1");
  expect(bench.throttle.ioStat("parent", "d")).toContain("rios=1");
});

it("tells for how long bios of a group and of those below it were held back", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent", { isCountedFromStart: true });
  const options = { parent: "parent", limits: { rbps: MIB }, isCountedFromStart: true };
  bench.throttle.addGroup("child", options);
  const port = bench.throttle.openPort("child");
  await bench.read(port, MIB, "one", "two");
  await bench.scheduler.advance(5000);
  expect(bench.log).toEqual(["one 2000", "two 3000"]);
  expect(bench.throttle.heldMs("child")).toBe(3000);
  expect(bench.throttle.heldMs("parent")).toBe(3000);
});

it("a bio for whose group there is no memory is the root's, and the next one tries again", async () => {
  const bench = new Bench();
  const port = bench.port("g", { rbps: 2 });
  bench.memory.faultPlan = failsAt(["throttle groups"], allFail);
  await bench.read(port, MIB, "free");
  expect(bench.log).toEqual(["free 1000"]);
  bench.memory.faultPlan = null;
  await bench.read(port, MIB, "held");
  expect([bench.log.length, bench.throttle.heldCount]).toEqual([1, 1]);
});

it("a discard costs as much as a sector, and an empty flush only an operation", async () => {
  const bench = new Bench();
  const port = bench.port("g", { wbps: MIB, wiops: 20 });
  await bench.submit(port, BioOp.Discard, 1024 * MIB, ["discard"]);
  await bench.submit(port, BioOp.Flush, 0, ["flush"]);
  await bench.submit(port, BioOp.Flush, 0, ["third"]);
  expect(bench.log).toEqual(["discard 1000", "flush 1000"]);
});

it("ports of one group share its limit, and a closed one lets go of its own bios only", async () => {
  const bench = new Bench();
  const one = bench.port("g", { rbps: MIB });
  const two = bench.throttle.openPort("g");
  await bench.read(one, MIB, ...named("a", 2));
  await bench.read(two, MIB, "b");
  expect(() => {
    bench.throttle.removeGroup("g");
  }).toThrow('the group "g" is in use');
  await bench.scheduler.perform("closer", (task) => one.close(task));
  expect(bench.log).toEqual(["a0 1000", "a1 1000"]);
  await bench.scheduler.perform("closer", (task) => two.close(task));
  expect([bench.log.length, bench.throttle.heldCount]).toEqual([3, 0]);
});

it("what is released at a group below goes past the one above, reads before writes", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent", { limits: { rbps: 2, wbps: 2 } });
  const port = bench.port("child", { riops: 2, wiops: 2 }, "parent");
  await bench.write(port, 4096, "w0");
  await bench.read(port, 4096, "r0", "r1");
  await bench.scheduler.advance(600);
  expect([bench.log, bench.throttle.heldCount]).toEqual([[], 3]);
  await bench.scheduler.perform("drain", (task) => port.release(task));
  expect(bench.log.map((line) => line.split(" ")[0]).toSorted()).toEqual(["r0", "r1", "w0"]);
  await bench.read(port, 4096, "free");
  expect(bench.log).toHaveLength(4);
  port.hold();
  await bench.read(port, 4096, "held");
  expect(bench.log).toHaveLength(4);
});

it("a group that is removed is freed when what waits in it has gone", async () => {
  const bench = new Bench();
  const port = bench.port("g", { rbps: MIB });
  await bench.read(port, 262144, "a");
  await bench.scheduler.perform("t", (task) => port.close(task));
  bench.throttle.removeGroup("g");
  expect(bench.throttle.groupNames).toEqual([]);
  expect(() => bench.throttle.limitsOf("g")).toThrow('there is no group "g"');
});

it("that ends leaves no statistics behind", async () => {
  const bench = new Bench();
  const port = bench.port("g", { rbps: MIB });
  await bench.read(port, 4096, "a");
  await bench.scheduler.runTasks();
  await bench.scheduler.perform("t", async (task) => {
    await port.close(task);
    await bench.throttle.stop(task);
  });
  expect(bench.scheduler.warnings).toEqual([]);
});

it("does not end while a port is open, though groups below may be there", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent");
  const port = bench.port("child", {}, "parent");
  const other = bench.throttle.openPort("parent");
  const stop = (): Promise<void> =>
    bench.scheduler.perform("stop", (task) => bench.throttle.stop(task));
  await bench.scheduler.perform("close", (task) => port.close(task));
  await expect(stop()).rejects.toThrow('throttle ends, and a port of "parent" is open');
  await bench.scheduler.perform("close", (task) => other.close(task));
  await stop();
  expect(bench.throttle.groupNames).toEqual([]);
});

it("refuses names that are taken or unknown", () => {
  const { throttle } = new Bench();
  throttle.addGroup("g");
  expect(() => {
    throttle.addGroup("g");
  }).toThrow('there is a group "g" already');
  expect(() => {
    throttle.addGroup("h", { parent: "nobody" });
  }).toThrow('there is no group "nobody"');
});

it("a device of a group charges a bio once, whole, before it is cut, and the device below again", async () => {
  const scheduler = new VirtualScheduler({ startMs: 1000 });
  const memory = new Memory({ scheduler });
  const submitter = new MakeRequest();
  const throttle = new Throttle({ scheduler, memory, submitter });
  throttle.addGroup("g", { limits: { wiops: 20 } });
  const port = throttle.openPort("g");
  const arrived: string[] = [];
  const disk: BlockDevice = {
    name: "disk",
    sizeSectors: 0,
    isReadOnly: false,
    queue: new RequestQueue("disk", { ...stackingLimits(), maxDiscardSectors: 1024 }),
    submitBio: (bio) => {
      arrived.push(`${String(bio.sectors)} ${String(bio.state & BioState.Throttled)}`);
      bioEndio(bio);
    },
  };
  const device = new ThrottledDevice("slow", disk, port, submitter);
  await scheduler.perform("writer", async (task) => {
    for (let n = 0; n < 3; n += 1) {
      const bio = new Bio();
      bio.op = BioOp.Discard;
      bio.sizeBytes = 8192;
      bio.device = device;
      expect(port.take(bio, task)).toBe(n === 2);
      if (n === 2) continue;
      const front = new Bio();
      splitBio(bio, 8, front);
      for (const part of [front, bio]) {
        part.device = device;
        expect(port.take(part, task)).toBe(false);
        await device.submitBio(part, task);
      }
    }
  });
  await scheduler.advance(1000);
  expect(arrived).toEqual(["8 0", "8 0", "8 0", "8 0", "16 0"]);
});
