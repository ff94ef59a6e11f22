import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { defineTarget, deviceOf, MapResult, type Submitter } from "@blkstack/block";
import { describe, expect, it, vi } from "vitest";
import { Bench } from "../test/bench.ts";
import { failing, probeType } from "../test/test-targets.ts";

const table = "0 16 probe a 4";

it("status and table are printed as dmsetup prints them, trailing blank and all", async () => {
  const bench = new Bench();
  await bench.create("md", table, "16 4 failing");
  expect(bench.dm.status("md")).toEqual(["0 16 probe ", "16 4 failing "]);
  expect(bench.dm.table("md")).toEqual(["0 16 probe 7:0 4", "16 4 failing "]);
  expect(bench.dm.deps("md")).toEqual(["7:0"]);
});

it("numbers are the lowest free ones, or the one asked for", async () => {
  const bench = new Bench();
  const numbers = await bench.perform(async (task) => {
    for (const name of ["x", "y", "z"]) await bench.dm.create(name, task);
    await bench.dm.remove("y", task);
    await bench.dm.create("far", task, { minor: 77 });
    await bench.dm.create("again", task);
    return bench.dm.list().map(({ name, deviceNumber }) => `${name} ${deviceNumber}`);
  });
  expect(numbers).toEqual(["again 253:1", "far 253:77", "x 253:0", "z 253:2"]);
});

describe("a name", () => {
  it.each([
    ["a/b", "EINVAL"],
    ["", "EINVAL"],
    ["x".repeat(128), "EINVAL"],
    ["taken", "EBUSY"],
  ])("%j is refused with %s", async (name, errno) => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      await bench.dm.create("taken", task);
      await expect(bench.dm.create(name, task)).rejects.toMatchObject({ errno });
    });
  });

  it("that nobody has is ENXIO to every command", async () => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      for (const command of ["suspend", "resume", "clear", "remove"] as const) {
        await expect(bench.dm[command]("none", task)).rejects.toMatchObject({ errno: "ENXIO" });
      }
      await expect(bench.dm.load("none", table, task)).rejects.toMatchObject({ errno: "ENXIO" });
    });
    expect(() => bench.dm.status("none")).toThrow('there is no mapped device "none"');
  });
});

describe("an open device", () => {
  it("is not removed, also when what holds it is another's table", async () => {
    const bench = new Bench();
    await bench.create("low", table);
    await bench.create("high", "0 8 probe low 0", "8 8 probe /dev/mapper/low 8");
    expect(bench.dm.info("low").openCount).toBe(1);
    expect(bench.dm.table("high")[1]).toBe("8 8 probe 253:0 8");
    await bench.perform(async (task) => {
      await expect(bench.dm.remove("low", task)).rejects.toMatchObject({ errno: "EBUSY" });
      await bench.dm.remove("high", task);
      await bench.dm.remove("low", task);
    });
    expect(bench.dm.list()).toEqual([]);
  });

  it("is removed at its last close, when its removal was deferred", async () => {
    const bench = new Bench();
    await bench.create("md", table);
    bench.dm.open("md");
    await bench.perform(async (task) => {
      await bench.dm.remove("md", task, { deferred: true });
      expect(bench.dm.info("md").isRemovedAtClose).toBe(true);
      await bench.dm.close("md", task);
    });
    expect(bench.dm.list()).toEqual([]);
  });
});

it("a table is loaded beside the live one, replaced by a later one, and dropped by clear", async () => {
  const destroyed: number[] = [];
  const type = probeType({
    event: (what, begin) => {
      if (what === "destroy") destroyed.push(begin);
    },
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", table);
  await bench.perform(async (task) => {
    await bench.dm.load("md", "0 8 probe b 1", task);
    await bench.dm.load("md", "0 8 probe b 2", task);
    expect(destroyed).toEqual([0]);
    expect(bench.dm.table("md", "inactive")).toEqual(["0 8 probe 7:16 2"]);
    expect(bench.dm.table("md")).toEqual(["0 16 probe 7:0 4"]);
    await bench.dm.clear("md", task);
  });
  expect(bench.dm.info("md")).toMatchObject({ hasInactiveTable: false, hasLiveTable: true });
});

it("a message goes to the target at its sector; where there is none it is refused", async () => {
  const bench = new Bench();
  await bench.create("md", table, "16 4 failing");
  await bench.perform(async (task) => {
    expect(await bench.dm.message("md", 3, ["mark", "x"], task)).toBe("mark+x");
    for (const sector of [16, 20]) {
      await expect(bench.dm.message("md", sector, ["hi"], task)).rejects.toMatchObject({
        errno: "EINVAL",
      });
    }
  });
});

it("limits are those that all devices below can take", async () => {
  const bench = new Bench();
  bench.a.queue.limits = { ...bench.a.queue.limits, maxSectors: 100 };
  bench.b.queue.limits = { ...bench.b.queue.limits, maxSectors: 50, hasVolatileCache: false };
  await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
  const { limits } = bench.dm.get("md").queue;
  expect(limits).toMatchObject({ maxSectors: 50, hasVolatileCache: true });
  expect(limits.maxDiscardSectors).toBeGreaterThan(0);
  await bench.create("mix", "0 8 probe a 0", "8 8 failing");
  expect(bench.dm.get("mix").queue.limits.maxDiscardSectors).toBe(0);
});

it("a bio that must not wait comes to no device that has a target which may", async () => {
  const map = vi.fn(() => MapResult.Kill);
  const patient = defineTarget({
    name: "patient",
    version: [1, 0, 0],
    apiVersion: 1,
    create: () => ({ map, status: () => "" }),
  });
  const bench = new Bench({ types: [probeType(), patient] });
  await bench.create("md", "0 8 probe a 0", "8 8 patient");
  for (const sector of [0, 8]) {
    const sent = await bench.send("md", BioOp.Read, sector, 4, BioFlag.NoWait);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.Again });
  }
  expect(bench.a.log).toEqual([]);
  expect(map).not.toHaveBeenCalled();
  expect(await bench.send("md", BioOp.Read, 0, 4)).toMatchObject({ ends: 1, status: BioStatus.Ok });
});

it("targets are asked for what they print: how they are doing, or what makes them again", async () => {
  const type = defineTarget({
    ...failing,
    name: "asked",
    create: () => ({
      map: () => MapResult.Kill,
      status: (kind) => `${kind}!`,
    }),
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", "0 8 asked");
  expect(bench.dm.status("md")).toEqual(["0 8 asked info!"]);
  expect(bench.dm.table("md")).toEqual(["0 8 asked table!"]);
});

it("people are told all of a device, with a table or without", async () => {
  const bench = new Bench();
  await bench.create("md", table, "16 4 failing");
  const bare = {
    name: "bare",
    uuid: null,
    deviceNumber: "253:1",
    isSuspended: false,
    isReadOnly: false,
    hasLiveTable: false,
    hasInactiveTable: false,
    isRemovedAtClose: false,
    openCount: 0,
    eventNumber: 0,
    targetCount: 0,
  };
  await bench.perform((task) => bench.dm.create("bare", task));
  expect(bench.dm.info("bare")).toEqual(bare);
  const { dm } = bench;
  expect([dm.status("bare"), dm.table("bare"), dm.deps("bare")]).toEqual([[], [], []]);
  const live = { name: "md", deviceNumber: "253:0", hasLiveTable: true, targetCount: 2 };
  expect(dm.info("md")).toEqual({ ...bare, ...live });
  await bench.perform((task) => dm.load("md", table, task));
  expect(dm.info("md")).toEqual({ ...bare, ...live, hasInactiveTable: true });
});

it("a submitter that keeps no books of devices will do", async () => {
  const submitter: Submitter = { submitBio: (bio, task) => deviceOf(bio).submitBio(bio, task) };
  const bench = new Bench({ submitter });
  await bench.create("md", table);
  expect(await bench.send("md", BioOp.Read, 0, 4)).toMatchObject({ ends: 1, status: BioStatus.Ok });
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(bench.dm.list()).toEqual([]);
});

it("unless told, the error of the flush before a bio's data is the bio's", async () => {
  const type = probeType({
    map: (bio) => ((bio.flags & BioFlag.Preflush) === 0 ? undefined : MapResult.Kill),
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", table);
  const sent = await bench.send("md", BioOp.Write, 0, 4, BioFlag.Preflush);
  expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
  expect(bench.a.log).toEqual([]);
});
