import { type BlockDevice, deviceOf, type Submitter } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";

const onA = "0 8 probe a";

async function onItself(bench: Bench, name: string, ...lines: string[]): Promise<void> {
  await bench.perform(async (task) => {
    const loaded = bench.dm.load(name, lines.join("\n"), task);
    await expect(loaded).rejects.toThrow(`"${name}" would stand on itself`);
  });
}

describe("a device does not stand on itself", () => {
  it("by way of one of several below another", async () => {
    const bench = new Bench();
    await bench.create("low", onA);
    await bench.create("high", "0 8 probe a", "8 8 probe low", "16 8 probe b");
    await onItself(bench, "low", "0 8 probe b", "8 8 probe high");
  });

  it("by way of a table that is not live yet", async () => {
    const bench = new Bench();
    await bench.create("low", onA);
    await bench.create("high", onA);
    await bench.perform((task) => bench.dm.load("high", "0 8 probe low", task));
    await onItself(bench, "low", "0 8 probe high");
  });

  it("by way of a table that is live no longer than until the next resume", async () => {
    const bench = new Bench();
    await bench.create("low", onA);
    await bench.create("high", "0 8 probe low");
    await bench.perform((task) => bench.dm.load("high", onA, task));
    await onItself(bench, "low", "0 8 probe high");
  });

  it("but stands on one that has no table yet", async () => {
    const bench = new Bench();
    await bench.perform((task) => bench.dm.create("low", task));
    await bench.create("high", "0 8 probe low");
    expect(bench.dm.deps("high")).toEqual(["253:0"]);
    expect(bench.dm.info("low").openCount).toBe(1);
  });
});

describe("a device whose removal waits for its last close", () => {
  it("stays until as many have closed it as have opened it", async () => {
    const bench = new Bench();
    await bench.create("md", onA);
    bench.dm.open("md");
    bench.dm.open("md");
    await bench.perform(async (task) => {
      await bench.dm.remove("md", task, { deferred: true });
      await bench.dm.close("md", task);
      expect(bench.dm.info("md").openCount).toBe(1);
      await bench.dm.close("md", task);
    });
    expect(bench.dm.list()).toEqual([]);
  });

  it("goes with the table above it, but not with one that never came to be", async () => {
    const bench = new Bench();
    await bench.create("low", onA);
    await bench.create("high", "0 8 probe low");
    await bench.perform(async (task) => {
      await bench.dm.remove("low", task, { deferred: true });
      await expect(bench.dm.load("high", "0 8 probe low\n8 8 none", task)).rejects.toThrow("none");
      expect(bench.dm.info("low").openCount).toBe(1);
      await bench.dm.load("high", onA, task);
      await bench.dm.resume("high", task);
    });
    expect(bench.dm.list().map(({ name }) => name)).toEqual(["high"]);
  });

  it("does not go because it is closed, if nobody asked for its removal", async () => {
    const bench = new Bench();
    await bench.create("md", onA);
    bench.dm.open("md");
    await bench.perform((task) => bench.dm.close("md", task));
    expect(bench.dm.info("md").openCount).toBe(0);
  });
});

it("the submitter is told of devices before bios can come to them, and of the end of its own", async () => {
  const told: string[] = [];
  const name = (device: BlockDevice): string => device.name;
  const submitter: Submitter = {
    submitBio: (bio, task) => deviceOf(bio).submitBio(bio, task),
    addDevice: (device) => void told.push(`add ${name(device)}`),
    removeDevice: (device) => void told.push(`remove ${name(device)}`),
  };
  const bench = new Bench({ submitter });
  await bench.create("md", "0 8 probe a", "8 8 probe b", "16 8 probe a 8");
  expect(told).toEqual(["add md", "add a", "add b"]);
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(told.slice(3)).toEqual(["remove md"]);
});
