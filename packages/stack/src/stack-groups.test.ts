import { describe, expect, it } from "vitest";
import { SlowStack } from "../test/slow-stack.ts";

const fileOf = (groups: string): string => `disks:
  disk: { ram: 1MiB }
groups:
${groups}
exports:
  a: { device: disk, group: a }
  b: { device: disk, group: b }
  free: { device: disk }
`;
const WEIGHTS = fileOf('  a: "weight=100"\n  b: "weight=300"');

describe("exports of one device in groups of weights 100 and 300", () => {
  it("have the device 1 to 3 as long as both have enough to do", async () => {
    const slow = await SlowStack.open(WEIGHTS);
    const [light, heavy] = [slow.load("a", 32), slow.load("b", 32)];
    await slow.scheduler.advance(20_000);
    expect(heavy.ended / light.ended).toBeGreaterThan(2.8);
    expect(heavy.ended / light.ended).toBeLessThan(3.2);
    await slow.close();
  });

  it("have it in other shares from the next turn on when a weight is changed", async () => {
    const slow = await SlowStack.open(WEIGHTS);
    const [light, heavy] = [slow.load("a", 32), slow.load("b", 32)];
    await slow.scheduler.advance(5000);
    expect(slow.stack.groups.change("a", "weight=900")).toEqual({ weight: 900 });
    // Until what it had under the old weight is made up for.
    await slow.scheduler.advance(2000);
    const before = { light: light.ended, heavy: heavy.ended };
    await slow.scheduler.advance(20_000);
    const ratio = (light.ended - before.light) / (heavy.ended - before.heavy);
    expect(ratio).toBeGreaterThan(2.8);
    expect(ratio).toBeLessThan(3.2);
    await slow.close();
  });

  it("have it in the shares of weights that they had not at the start", async () => {
    const slow = await SlowStack.open(fileOf('  a: "weight=100"\n  b: "wbps=max"'));
    slow.stack.groups.change("b", "weight=300");
    const [light, heavy] = [slow.load("a", 32), slow.load("b", 32)];
    await slow.scheduler.advance(20_000);
    expect(heavy.ended / light.ended).toBeGreaterThan(2.8);
    expect(heavy.ended / light.ended).toBeLessThan(3.2);
    await slow.close();
  });

  it("leave an export that is in no group the share of weight 1000", async () => {
    const slow = await SlowStack.open(WEIGHTS);
    const [heavy, free] = [slow.load("b", 32), slow.load("free", 32)];
    await slow.scheduler.advance(20_000);
    expect(free.ended / heavy.ended).toBeGreaterThan(3);
    expect(free.ended / heavy.ended).toBeLessThan(3.7);
    await slow.close();
  });
});

it("clients of one group have its share together", async () => {
  const slow = await SlowStack.open(`disks:
  disk: { ram: 1MiB }
groups:
  a: "weight=100"
  b: "weight=300"
exports:
  a: { device: disk, group: a }
  b1: { device: disk, group: b }
  b2: { device: disk, group: b }
`);
  const [light, first, second] = ["a", "b1", "b2"].map((name) => slow.load(name, 16));
  await slow.scheduler.advance(20_000);
  const ofGroup = (first?.ended ?? NaN) + (second?.ended ?? NaN);
  expect(ofGroup / (light?.ended ?? NaN)).toBeGreaterThan(2.8);
  expect(ofGroup / (light?.ended ?? NaN)).toBeLessThan(3.2);
  expect((first?.ended ?? NaN) / (second?.ended ?? NaN)).toBeCloseTo(1, 1);
  await slow.close();
});

it("a group with a limit and a weight keeps both: what it may not use the others have", async () => {
  const slow = await SlowStack.open(fileOf('  a: "weight=100"\n  b: "riops=50 weight=1000"'));
  const [light, limited] = [slow.load("a", 32), slow.load("b", 32)];
  await slow.scheduler.advance(10_000);
  expect(limited.ended / 10).toBeGreaterThan(40);
  expect(limited.ended / 10).toBeLessThan(55);
  expect(light.ended + limited.ended).toBeGreaterThan(6500);
  await slow.close();
});

it("a limit that is taken away lets go what waits, at once", async () => {
  const slow = await SlowStack.open(fileOf('  a: "riops=2"\n  b: "riops=2"'));
  const { groups } = slow.stack;
  const client = slow.load("a", 4);
  await slow.scheduler.advance(10);
  expect(client.ended).toBe(0);
  expect(groups.change("a", "riops=max wbps=4096 burst=1s")).toEqual({
    wbps: 4096,
    burstMs: 1000,
  });
  await slow.scheduler.advance(2);
  expect(client.ended).toBeGreaterThan(0);
  await slow.close();
});

it("a limit binds the groups below it together", async () => {
  const slow = await SlowStack.open(`disks:
  disk: { ram: 1MiB }
groups:
  all/one: ""
  all/two: "riops=max"
  all: "riops=100"
exports:
  one: { device: disk, group: all/one }
  two: { device: disk, group: all/two }
`);
  const [one, two] = [slow.load("one", 4), slow.load("two", 4)];
  await slow.scheduler.advance(10_000);
  expect((one.ended + two.ended) / 10).toBeGreaterThan(90);
  expect((one.ended + two.ended) / 10).toBeLessThan(105);
  expect(one.ended / two.ended).toBeCloseTo(1, 1);
  await slow.close();
});

describe("what is wrong with a change is told, and nothing is changed", () => {
  it.each([
    ["a", "weight=5", 'group "a": "weight=5" is no weight; it should be weight=NUMBER, from 10 to'],
    ["a", "rbps=9 wbsp=1", 'group "a": unknown limit "wbsp"; did you mean "wbps"?'],
    ["c", "rbps=9", 'there is no group "c"'],
    [
      "b",
      "rbps=9 weight=100",
      'group "b" is in use and had no weight at the start; give it one in',
    ],
  ])("%s: %s", async (name, words, message) => {
    const file = fileOf('  a: "weight=100 rbps=7"\n  b: "wbps=8"').concat(
      "  apart: { device: other, group: b }\n",
    );
    const slow = await SlowStack.open(file.replace("groups:", "  other: { ram: 1MiB }\ngroups:"));
    const { groups } = slow.stack;
    expect(() => groups.change(name, words)).toThrow(message);
    await slow.scheduler.perform("look", (task) => {
      expect(groups.report("a", task)).toMatchObject({ weight: 100, limits: { rbps: 7 } });
      expect(groups.report("b", task)).not.toHaveProperty("weight");
      expect(groups.report("b", task).limits).toEqual({ wbps: 8 });
    });
    await slow.close();
  });
});

it("a group tells what it has done, what waits, and what it has of each device", async () => {
  const slow = await SlowStack.open(fileOf('  a: "weight=100"\n  b: "riops=10"'));
  const { groups } = slow.stack;
  const looked = await slow.scheduler.perform("look", (task) => groups.report("a", task));
  expect(looked).toMatchObject({ held: 0, shares: [] });
  slow.load("a", 4);
  slow.load("b", 4);
  await slow.scheduler.advance(1000);
  await slow.scheduler.perform("look", (task) => {
    const { counts, shares, held } = groups.report("a", task);
    expect(counts).toMatchObject({ wbytes: 0, wios: 0, dbytes: 0, dios: 0 });
    expect(counts["rbytes"]).toBe((counts["rios"] ?? NaN) * 512);
    expect(held).toBe(0);
    expect(shares).toMatchObject([{ device: "disk", weight: 100, merged: 0 }]);
    expect(shares[0]?.time).toBeGreaterThan(0);
    expect(groups.report("b", task)).toMatchObject({ held: 4, shares: [{ weight: 500 }] });
    const [all, ofDisk, ...rest] = groups.statText("a", "io.stat", task);
    expect(all).toMatch(/^a rbytes=\d{5,} wbytes=0 rios=\d{3} wios=0 dbytes=0 dios=0$/);
    expect(ofDisk).toMatch(/^disk rbytes=.* dios=0 cfq.weight=100 cfq.time=\d+ cfq.merged=0 /);
    expect(rest).toEqual([]);
    const lines = groups.statText("a", "blkio", task);
    expect(lines.filter((line) => line.startsWith("throttle.io_serviced "))).toHaveLength(6);
    expect(lines).toContain("io_merged disk Sync 0");
    expect(lines).toContain("weight_device disk 100");
    expect(() => groups.statText("c", "blkio", task)).toThrow('there is no group "c"');
  });
  await slow.close();
});

it("a device whose last user has left is shared no more, and anew with the next one", async () => {
  const slow = await SlowStack.open(WEIGHTS);
  const { stack, scheduler } = slow;
  const { groups, exports } = stack;
  await scheduler.perform("change", async (task) => {
    for (const { member } of exports.values()) await groups.leave(member, task);
    const disk = stack.disks.get("disk");
    if (disk === undefined) throw new Error("there is a disk");
    const alone = await groups.enter(disk, null, task);
    expect(alone.device).toBe(disk);
    const shared = await groups.enter(disk, "a", task);
    expect(shared.isShared).toBe(true);
    await groups.leave(shared, task);
    await groups.leave(shared, task);
    await groups.leave(alone, task);
    await expect(groups.enter(disk, "c", task)).rejects.toThrow('there is no group "c"');
  });
  await slow.close();
});
