import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError, MapResult } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { Interruption } from "./interruption.ts";
import { loop } from "./split-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };
const table = "0 16 probe a 0";

describe("a uuid", () => {
  it("is given with the device or later, once, and is of no other device", async () => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      await bench.dm.create("x", task, { uuid: "LVM-1" });
      await bench.dm.create("y", task);
      const again = bench.dm.create("z", task, { uuid: "LVM-1" });
      await expect(again).rejects.toMatchObject({ errno: "EBUSY" });
      expect(() => {
        bench.dm.setUuid("y", "LVM-1");
      }).toThrow('mapped device "x" has the uuid "LVM-1"');
      bench.dm.setUuid("y", "LVM-2");
      expect(() => {
        bench.dm.setUuid("y", "LVM-3");
      }).toThrow("for good");
      await bench.dm.remove("x", task);
      await bench.dm.create("z", task, { uuid: "LVM-1" });
    });
    expect(bench.dm.list().map(({ name }) => [name, bench.dm.info(name).uuid])).toEqual([
      ["y", "LVM-2"],
      ["z", "LVM-1"],
    ]);
  });

  it.each(["", "x".repeat(129), "ä".repeat(65)])("%j is none", async (uuid) => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      const created = bench.dm.create("md", task, { uuid });
      await expect(created).rejects.toMatchObject({ errno: "EINVAL" });
    });
    expect(bench.dm.list()).toEqual([]);
  });
});

describe("a removal by force", () => {
  it("of an open device is refused, but everything fails from then on", async () => {
    const bench = new Bench();
    await bench.create("md", table);
    bench.dm.open("md");
    await bench.perform(async (task) => {
      const removed = bench.dm.remove("md", task, { force: true });
      await expect(removed).rejects.toMatchObject({ errno: "EBUSY" });
    });
    expect(bench.dm.table("md")).toEqual(["0 16 error "]);
    expect((await bench.send("md", BioOp.Read, 0, 4)).status).toBe(BioStatus.IoError);
    expect(await bench.flush("md")).toMatchObject(ok);
  });

  it("fails the bios that targets give back for it", async () => {
    const held: (() => void)[] = [];
    const type = probeType({
      map: (bio) => {
        held.push(() => bio.endIo?.(bio));
        return MapResult.Submitted;
      },
      endIo: () => 2,
      event: (what) => {
        if (what === "presuspend") for (const giveBack of held.splice(0)) giveBack();
      },
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", table);
    const sent = await bench.send("md", BioOp.Write, 0, 4);
    expect(sent.ends).toBe(0);
    await bench.perform((task) => bench.dm.remove("md", task, { force: true }));
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
    expect(bench.dm.list()).toEqual([]);
  });

  it("asks nobody to keep changes back", async () => {
    const bench = new Bench();
    await bench.create("md", table);
    const asked: string[] = [];
    bench.dm.addUser("md", { onFreeze: () => void asked.push("freeze"), onThaw: () => undefined });
    bench.dm.open("md");
    await bench.perform(async (task) => {
      await expect(bench.dm.remove("md", task, { force: true })).rejects.toThrow("open");
    });
    expect(asked).toEqual([]);
  });

  it("of a device without a table is a plain one", async () => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      await bench.dm.create("md", task);
      await bench.dm.remove("md", task, { force: true });
    });
    expect(bench.dm.list()).toEqual([]);
  });
});

it("a wiped device keeps its size and mode, and fails what waits in it", async () => {
  const bench = new Bench();
  await bench.perform((task) => bench.dm.create("md", task, { table, isReadOnly: true }));
  await bench.perform((task) => bench.dm.suspend("md", task));
  const sent = await bench.send("md", BioOp.Read, 0, 4);
  await bench.perform((task) => bench.dm.wipe("md", task));
  expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
  const { sizeSectors, isReadOnly } = bench.dm.get("md");
  expect([sizeSectors, isReadOnly]).toEqual([16, true]);
});

describe("whoever has a filesystem on a device", () => {
  async function watched() {
    const bench = new Bench();
    await bench.create("md", table);
    const seen: string[] = [];
    const user = (name: string) => ({
      onFreeze: () => {
        seen.push(`${name} froze ${bench.dm.get("md").deferred.isHeld ? "late" : "in time"}`);
      },
      onThaw: () => {
        seen.push(`${name} thawed`);
      },
    });
    const leave = bench.dm.addUser("md", user("low"));
    bench.dm.addUser("md", user("high"));
    return { bench, seen, leave };
  }

  it("is asked to keep changes back while bios still flow, the highest first", async () => {
    const { bench, seen } = await watched();
    await bench.perform((task) => bench.dm.suspend("md", task));
    expect(seen.splice(0)).toEqual(["high froze in time", "low froze in time"]);
    await bench.perform((task) => bench.dm.resume("md", task));
    expect(seen).toEqual(["low thawed", "high thawed"]);
  });

  it.each([{ noflush: true }, { nolockfs: true }])("is not asked with %o", async (options) => {
    const { bench, seen } = await watched();
    await bench.perform(async (task) => {
      await bench.dm.suspend("md", task, options);
      await bench.dm.resume("md", task);
    });
    expect(seen).toEqual([]);
  });

  it("is not asked any more once it has left", async () => {
    const { bench, seen, leave } = await watched();
    leave();
    await bench.perform((task) => bench.dm.suspend("md", task));
    expect(seen).toEqual(["high froze in time"]);
  });

  it("may refuse: those who froze go on, and so do bios", async () => {
    const { bench, seen } = await watched();
    bench.dm.addUser("md", {
      onFreeze: () => {
        seen.push("top froze");
      },
      onThaw: () => {
        seen.push("top thawed");
      },
    });
    const refusing = await watched();
    refusing.bench.dm.addUser("md", {
      onFreeze: () => {
        throw new BlockError("BLK_STATE", "EIO", "the journal is broken");
      },
      onThaw: () => undefined,
    });
    await refusing.bench.perform(async (task) => {
      await expect(refusing.bench.dm.suspend("md", task)).rejects.toThrow("journal");
    });
    expect(refusing.seen).toEqual([]);
    expect(await refusing.bench.send("md", BioOp.Write, 0, 4)).toMatchObject(ok);
    await bench.perform((task) => bench.dm.suspend("md", task));
    expect(seen[0]).toBe("top froze");
  });
});

describe("a suspend that is called off", () => {
  it("is undone as a whole: targets, users and bios go on", async () => {
    const events: string[] = [];
    const bench = new Bench({ types: [probeType({ event: (what) => events.push(what) })] });
    await bench.create("md", table);
    bench.dm.addUser("md", {
      onFreeze: () => void events.push("freeze"),
      onThaw: () => void events.push("thaw"),
    });
    bench.a.isHolding = true;
    const held = await bench.send("md", BioOp.Write, 0, 4);
    events.length = 0;
    const interruption = new Interruption();
    let errno = "none";
    bench.scheduler.spawn("suspend", async (task) => {
      await bench.dm.suspend("md", task, { interruption }).catch((error: unknown) => {
        errno = (error as BlockError).errno;
      });
    });
    await bench.scheduler.run();
    const waiting = await bench.send("md", BioOp.Write, 8, 4);
    expect(bench.a.log).toEqual(["WRITE 0+4"]);
    interruption.raise();
    await bench.scheduler.run();
    expect(errno).toBe("EINTR");
    expect(events).toEqual(["presuspend", "freeze", "thaw", "presuspendUndo"]);
    expect(bench.dm.info("md").isSuspended).toBe(false);
    expect(bench.a.log).toEqual(["WRITE 0+4", "WRITE 8+4"]);
    bench.a.endAll();
    expect([held, waiting]).toMatchObject([ok, ok]);
    await bench.perform((task) => bench.dm.suspend("md", task));
    expect(bench.dm.info("md").isSuspended).toBe(true);
  });

  it("does not fail bios that were given back for it", async () => {
    const held: (() => void)[] = [];
    let isKeeping = true;
    const type = probeType({
      map: (bio) => {
        if (!isKeeping) return undefined;
        held.push(() => bio.endIo?.(bio));
        return MapResult.Submitted;
      },
      endIo: () => (isKeeping ? 2 : 0),
    });
    const bench = new Bench({ types: [type] });
    await bench.create("md", table);
    const sent = [
      await bench.send("md", BioOp.Write, 0, 4),
      await bench.send("md", BioOp.Write, 4, 4),
    ];
    const interruption = new Interruption();
    const options = { noflush: true, interruption };
    let errno = "none";
    bench.scheduler.spawn("suspend", async (task) => {
      await bench.dm.suspend("md", task, options).catch((error: unknown) => {
        errno = (error as BlockError).errno;
      });
    });
    await bench.scheduler.run();
    held[0]?.();
    isKeeping = false;
    interruption.raise();
    await bench.scheduler.run();
    expect(errno).toBe("EINTR");
    expect(bench.a.log).toEqual(["WRITE 0+4"]);
    held[1]?.();
    await bench.scheduler.run();
    expect(sent).toMatchObject([ok, ok]);
  });
});

it("the table that waits for a resume tells its state, too", async () => {
  const bench = new Bench();
  await bench.create("md", table);
  await bench.perform((task) => bench.dm.load("md", "0 8 probe b 1", task));
  expect(bench.dm.status("md", "inactive")).toEqual(["0 8 probe "]);
  expect(bench.dm.deps("md", "inactive")).toEqual(["7:16"]);
  expect(bench.dm.deps("md")).toEqual(["7:0"]);
});

it("who waits for an event of a device hears of its removal", async () => {
  const bench = new Bench();
  await bench.create("md", table);
  let told = -1;
  bench.scheduler.spawn("waiter", async (task) => {
    told = await bench.dm.wait("md", 0, task);
  });
  await bench.scheduler.run();
  expect(told).toBe(-1);
  await bench.perform((task) => bench.dm.remove("md", task));
  await bench.scheduler.run();
  expect(told).toBe(1);
});

describe("a message", () => {
  it("to the device calls a deferred removal off", async () => {
    const bench = new Bench();
    await bench.create("md", table);
    bench.dm.open("md");
    await bench.perform(async (task) => {
      await bench.dm.remove("md", task, { deferred: true });
      expect(await bench.dm.message("md", 0, ["@cancel_deferred_remove"], task)).toBe("");
      await bench.dm.close("md", task);
      const unknown = bench.dm.message("md", 0, ["@sing"], task);
      await expect(unknown).rejects.toMatchObject({ errno: "EINVAL" });
    });
    expect(bench.dm.list()).toHaveLength(1);
  });

  it("has its target as long as it takes, also when another table goes live", async () => {
    const events: string[] = [];
    const probe = probeType({ event: (what) => events.push(what) });
    const slow = {
      ...probe,
      create: async (context: Parameters<typeof probe.create>[0]) =>
        Object.assign(await probe.create(context), {
          message: async (_words: readonly string[], task: typeof context.task) => {
            await task.scheduler.sleep(task, { label: "a nap", blockers: () => [] }, 100);
            events.push("answered");
            return "";
          },
        }),
    };
    const bench = new Bench({ types: [slow] });
    await bench.create("md", table);
    bench.scheduler.spawn("message", async (task) => {
      await bench.dm.message("md", 0, ["hi"], task);
    });
    await bench.scheduler.run();
    events.length = 0;
    bench.scheduler.spawn("reload", async (task) => {
      await bench.dm.load("md", "0 16 probe b 0", task);
      await bench.dm.resume("md", task);
    });
    await bench.scheduler.run();
    await bench.scheduler.advance(100);
    expect(events.indexOf("answered")).toBeGreaterThan(-1);
    expect(events.indexOf("destroy")).toBeGreaterThan(events.indexOf("answered"));
  });
});

describe.each([undefined, loop])("a discard that must not wait (%o)", (splitPolicy) => {
  it("ends with Again when there are not enough copies", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const types = [probeType({ copies: 4 })];
    const options = { scheduler, memory, types, poolSize: 2, ...(splitPolicy && { splitPolicy }) };
    const bench = new Bench(options);
    await bench.create("md", table);
    bench.a.isHolding = true;
    memory.faultPlan = { fails: () => true };
    await bench.send("md", BioOp.Discard, 0, 4);
    const sent = await bench.send("md", BioOp.Discard, 4, 4, BioFlag.NoWait);
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.Again });
    bench.a.endAll();
    expect(bench.dm.get("md").pools?.liveCount).toBe(0);
  });
});
