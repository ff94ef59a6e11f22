import { BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { Interruption } from "./interruption.ts";

const ok = { ends: 1, status: BioStatus.Ok };

describe("the first table of a device", () => {
  it("that is too large for what is below is refused when it is loaded, and nothing of it stays", async () => {
    const events: string[] = [];
    const bench = new Bench({ types: [probeType({ event: (what) => events.push(what) })] });
    await bench.create("lower", "0 16 probe a 0");
    await bench.perform(async (task) => {
      await bench.dm.create("md", task);
      events.length = 0;
      const loaded = bench.dm.load("md", "0 32 probe lower 0", task);
      await expect(loaded).rejects.toMatchObject({ errno: "EINVAL" });
    });
    expect(events).toEqual(["destroy"]);
    expect(bench.dm.info("md").hasInactiveTable).toBe(false);
    expect(bench.dm.info("lower").openCount).toBe(0);
  });

  it("may come after one that was refused, and is looked at as well", async () => {
    const bench = new Bench();
    await bench.perform(async (task) => {
      await bench.dm.create("md", task);
      for (const start of [60, 61]) {
        const loaded = bench.dm.load("md", `0 16 probe a ${String(start)}`, task);
        await expect(loaded).rejects.toMatchObject({ errno: "EINVAL" });
      }
      await bench.dm.load("md", "0 16 probe a 0", task);
      await bench.dm.resume("md", task);
    });
    expect(await bench.send("md", BioOp.Read, 0, 4)).toMatchObject(ok);
  });
});

it("a table that waits for a resume goes with the next that is loaded, or cleared", async () => {
  const events: string[] = [];
  const bench = new Bench({ types: [probeType({ event: (what) => events.push(what) })] });
  await bench.create("lower", "0 16 probe a 0");
  await bench.create("md", "0 16 probe b 0");
  events.length = 0;
  await bench.perform(async (task) => {
    await bench.dm.load("md", "0 16 probe lower 0", task);
    expect([bench.dm.info("lower").openCount, events.splice(0)]).toEqual([1, []]);
    await bench.dm.load("md", "0 16 probe a 0", task);
    expect([bench.dm.info("lower").openCount, events.splice(0)]).toEqual([0, ["destroy"]]);
    await bench.dm.clear("md", task);
    expect(events.splice(0)).toEqual(["destroy"]);
    await bench.dm.clear("md", task);
  });
  expect(events).toEqual([]);
  expect(bench.dm.info("md").hasInactiveTable).toBe(false);
});

it("who resumes a device that never had a table is told so", async () => {
  const bench = new Bench();
  await bench.perform(async (task) => {
    await bench.dm.create("md", task);
    await bench.dm.suspend("md", task);
    await expect(bench.dm.resume("md", task)).rejects.toMatchObject({
      code: "BLK_STATE",
      errno: "EINVAL",
      message: 'mapped device "md" has no table to resume with',
    });
  });
});

it("who calls a suspend off is told what it waited for", async () => {
  const bench = new Bench();
  await bench.create("md", "0 16 probe a 0");
  bench.a.isHolding = true;
  await bench.send("md", BioOp.Write, 0, 4);
  const interruption = new Interruption();
  interruption.raise();
  await bench.perform(async (task) => {
    await expect(bench.dm.suspend("md", task, { interruption })).rejects.toMatchObject({
      code: "BLK_STATE",
      errno: "EINTR",
      message: 'the suspend of mapped device "md" was called off while it waited for bios',
    });
  });
});

it("a suspend that is refused passes by targets that do not care", async () => {
  const bench = new Bench();
  await bench.create("md", "0 8 failing", "8 8 probe a 0");
  bench.dm.addUser("md", {
    onFreeze: () => {
      throw new BlockError("BLK_STATE", "EIO", "the journal is broken");
    },
    onThaw: () => undefined,
  });
  await bench.perform(async (task) => {
    await expect(bench.dm.suspend("md", task)).rejects.toThrow("the journal is broken");
  });
  expect(await bench.send("md", BioOp.Write, 8, 4)).toMatchObject(ok);
});

describe("a device that is removed", () => {
  /** A device with a user, and what the user is asked for. */
  async function benchWithUser() {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    const asked: string[] = [];
    bench.dm.addUser("md", {
      onFreeze: () => void asked.push("freeze"),
      onThaw: () => void asked.push("thaw"),
    });
    return { bench, asked };
  }

  it("does not ask its users to keep changes back, for there will be no more", async () => {
    const { bench, asked } = await benchWithUser();
    await bench.perform((task) => bench.dm.remove("md", task));
    expect(asked).toEqual([]);
  });

  it("lets those go on who keep changes back: they learn from their bios", async () => {
    const { bench, asked } = await benchWithUser();
    await bench.perform(async (task) => {
      await bench.dm.suspend("md", task);
      await bench.dm.remove("md", task);
    });
    expect(asked).toEqual(["freeze", "thaw"]);
  });

  it("destroys the table that waits for a resume, and then the live one", async () => {
    const events: string[] = [];
    const type = (name: string) =>
      probeType({ event: (what) => events.push(`${name} ${what}`) }, name);
    const bench = new Bench({ types: [type("old"), type("new")] });
    await bench.create("md", "0 16 old a 0");
    events.length = 0;
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 16 new b 0", task);
      await bench.dm.remove("md", task);
    });
    expect(events).toEqual(["old presuspend", "old postsuspend", "new destroy", "old destroy"]);
  });
});

it("who removes a table waits for the messages to it, and learns that", async () => {
  const type = probeType();
  const slow = {
    ...type,
    create: async (context: Parameters<typeof type.create>[0]) =>
      Object.assign(await type.create(context), {
        message: async (_words: readonly string[], task: typeof context.task) => {
          await task.scheduler.sleep(task, { label: "a nap", blockers: () => [] }, 100);
          return "";
        },
      }),
  };
  const bench = new Bench({ types: [slow] });
  await bench.create("md", "0 16 probe a 0");
  const messenger = bench.scheduler.spawn("messenger", async (task) => {
    await bench.dm.message("md", 0, ["hi"], task);
  });
  await bench.scheduler.run();
  const people = bench.scheduler.spawn("people", (task) => bench.dm.remove("md", task));
  await bench.scheduler.run();
  const { waitingFor } = people;
  expect([waitingFor?.label, waitingFor?.blockers()]).toEqual(["messages to md", [messenger]]);
  await bench.scheduler.advance(100);
  expect(people.waitingFor).toBeNull();
});
