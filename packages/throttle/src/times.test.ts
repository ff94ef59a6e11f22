import { expect, it } from "vitest";
import { Bench, MIB, named } from "../test/setting.ts";

const flat = (): Bench => new Bench({ hierarchy: "flat" });

it("of 1 MiB/s three reads of 128 KiB go at 125, 250 and 375 ms: not even the first fits a slice", async () => {
  const bench = flat();
  await bench.read(bench.port("g", { rbps: MIB }), 131072, "a", "b", "c");
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["a 1125", "b 1250", "c 1375"]);
});

it("of 1 MiB/s forty reads of 4 KiB: what fits a slice goes at once, the rest in one round after it", async () => {
  const bench = flat();
  await bench.read(bench.port("g", { rbps: MIB }), 4096, ...named("r", 40));
  await bench.scheduler.advance(1000);
  expect(bench.times).toEqual([...Array<number>(25).fill(1000), ...Array<number>(15).fill(1101)]);
});

it("of 10 reads a second five go in pairs", async () => {
  const bench = flat();
  await bench.read(bench.port("g", { riops: 10 }), 4096, ...named("r", 5));
  await bench.scheduler.advance(1000);
  expect(bench.times).toEqual([1000, 1201, 1201, 1401, 1401]);
});

it("of 100 reads a second fifteen: ten at once, five after the slice", async () => {
  const bench = flat();
  await bench.read(bench.port("g", { riops: 100 }), 4096, ...named("r", 15));
  await bench.scheduler.advance(1000);
  expect(bench.times).toEqual([...Array<number>(10).fill(1000), ...Array<number>(5).fill(1111)]);
});

it("of 5 writes a second three, each 200 ms after the other", async () => {
  const bench = flat();
  await bench.write(bench.port("g", { wiops: 5 }), 4096, "a", "b", "c");
  await bench.scheduler.advance(1000);
  expect(bench.times).toEqual([1201, 1401, 1601]);
});

it("a group of 2 MiB/s sends its read before one of 1 MiB/s that came first", async () => {
  const bench = flat();
  const [a, b] = [bench.port("a", { rbps: MIB }), bench.port("b", { rbps: 2 * MIB })];
  await bench.read(a, 262144, "a");
  await bench.read(b, 262144, "b");
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["b 1125", "a 1250"]);
});

it("sends six reads and two writes in turn, no more than 32 in a round", async () => {
  const bench = flat();
  const port = bench.port("g", { rbps: 2, wbps: 2 });
  await bench.read(port, 4096, ...named("r", 40));
  await bench.write(port, 4096, ...named("w", 40));
  expect(bench.throttle.heldCount).toBe(80);
  bench.throttle.setLimits("g", { rbps: Infinity, wbps: Infinity });
  await bench.scheduler.advance(0);
  expect(new Set(bench.times)).toEqual(new Set([1000]));
  const [reads, writes] = [named("r", 40), named("w", 40)];
  const inTurn: string[] = [];
  while (writes.length > 0) inTurn.push(...reads.splice(0, 6), ...writes.splice(0, 2));
  expect(bench.log.map((line) => line.split(" ")[0])).toEqual(inTurn);
});

it("takes all of a round from those that wait before it sends the first: 32, 32 and 16 of 80", async () => {
  const waitingStill: number[] = [];
  const submitBio = (): void => void waitingStill.push(bench.throttle.heldCount);
  const bench = new Bench({ hierarchy: "flat", submitter: { submitBio } });
  const port = bench.port("g", { rbps: 2, wbps: 2 });
  await bench.read(port, 4096, ...named("r", 40));
  await bench.write(port, 4096, ...named("w", 40));
  bench.throttle.setLimits("g", { rbps: Infinity, wbps: Infinity });
  await bench.scheduler.advance(0);
  const rounds = [48, 16, 0].map((left) => waitingStill.filter((count) => count === left).length);
  expect(rounds).toEqual([32, 32, 16]);
  expect(waitingStill).toHaveLength(80);
});

it("sends what waits when the limit is raised, as if it had been so from then on", async () => {
  const bench = flat();
  const port = bench.port("g", { rbps: MIB });
  await bench.read(port, MIB, "big");
  await bench.scheduler.advance(200);
  expect(bench.log).toEqual([]);
  bench.throttle.setLimits("g", { rbps: 10 * MIB });
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["big 1200"]);
});

it("starts without a limit, and one that is set holds what comes later to itself", async () => {
  const bench = flat();
  const port = bench.port("g", {});
  await bench.read(port, MIB, "free");
  bench.throttle.setLimits("g", { rbps: MIB });
  await bench.read(port, 131072, "held");
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["free 1000", "held 1125"]);
});

it("gives no credit for a second in which nothing was read", async () => {
  const bench = flat();
  const port = bench.port("g", { rbps: MIB });
  await bench.read(port, 65536, "a");
  await bench.scheduler.advance(1000);
  await bench.read(port, 65536, "b", "c", "d");
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["a 1000", "b 2000", "c 2125", "d 2125"]);
});

it("gives as much credit for it as a burst may have, if one is allowed", async () => {
  const bench = flat();
  bench.throttle.addGroup("g", { limits: { rbps: MIB }, burstMs: 500 });
  const port = bench.throttle.openPort("g");
  await bench.read(port, 65536, ...named("r", 10));
  await bench.scheduler.advance(5000);
  expect(bench.times.filter((ms) => ms === 1000)).toHaveLength(8);
  await bench.read(port, 65536, ...named("s", 10));
  await bench.scheduler.advance(5000);
  expect(bench.times.filter((ms) => ms === 6000)).toHaveLength(8);
});

it("holds the groups below to a limit, and those take turns", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent", { limits: { rbps: MIB } });
  const [one, two] = [bench.port("one", {}, "parent"), bench.port("two", {}, "parent")];
  await bench.read(one, 65536, "a1", "a2", "a3");
  await bench.read(two, 65536, "b1");
  await bench.scheduler.advance(1000);
  expect(bench.log).toEqual(["a1 1000", "a2 1125", "b1 1125", "a3 1250"]);
});

it("holds a bio at its own group, which the one above takes into account, and then there", async () => {
  const bench = new Bench();
  bench.throttle.addGroup("parent", { limits: { rbps: MIB } });
  const port = bench.port("child", { riops: 5 }, "parent");
  await bench.read(port, 262144, "a", "b");
  await bench.scheduler.advance(2000);
  expect(bench.log).toEqual(["a 1201", "b 1501"]);
});

it("does not nest limits when told so", async () => {
  const bench = flat();
  bench.throttle.addGroup("parent", { limits: { rbps: MIB } });
  await bench.read(bench.port("child", {}, "parent"), MIB, "a");
  expect(bench.log).toEqual(["a 1000"]);
});

it("sends the bios of a group as they came, or those of its tasks or ports in turn", async () => {
  for (const [fairness, order] of [
    ["arrival", ["a0", "a1", "a2", "b0", "c0"]],
    ["tasks", ["a0", "b0", "c0", "a1", "a2"]],
    ["ports", ["a0", "c0", "a1", "a2", "b0"]],
  ] as const) {
    const bench = new Bench({ fairness });
    const port = bench.port("g", { rbps: MIB });
    await bench.read(port, MIB, ...named("a", 3));
    await bench.read(port, MIB, "b0");
    await bench.read(bench.throttle.openPort("g"), MIB, "c0");
    await bench.scheduler.advance(9000);
    expect(bench.log.map((line) => line.split(" ")[0])).toEqual(order);
  }
});

it("tells for how long allowances are kept, which can be changed beside the limits", async () => {
  const bench = flat();
  const port = bench.port("g", { rbps: MIB });
  expect(bench.throttle.burstMsOf("g")).toBe(0);
  bench.throttle.setLimits("g", {}, 500);
  expect([bench.throttle.burstMsOf("g"), bench.throttle.limitsOf("g").rbps]).toEqual([500, MIB]);
  await bench.read(port, 4096, "first");
  await bench.scheduler.advance(5000);
  await bench.read(port, 65536, ...named("s", 10));
  expect(bench.times.filter((ms) => ms === 6000)).toHaveLength(8);
});
