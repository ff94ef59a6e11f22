import { BioOp, BioStatus } from "@blkstack/bio";
import { beforeEach, expect, it } from "vitest";
import { Bench, endOf } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;

let bench: Bench;

beforeEach(async () => {
  bench = new Bench();
  bench.disk("origin", 64).bytes.fill(OLD);
  for (const name of ["c1", "c2"]) bench.disk(name, 256);
  await bench.create("o", "0 64 snapshot-origin origin");
  await bench.create("s1", "0 64 snapshot origin c1 P 8");
});

/** A snapshot of the snapshot, and the way to the latter that keeps for it what is written over. */
async function snapshotOfSnapshot(): Promise<void> {
  await bench.create("o1", "0 64 snapshot-origin s1");
  await bench.create("s2", "0 64 snapshot s1 c2 P 4");
}

it("a snapshot of a snapshot shows what that had, whoever writes to either of them", async () => {
  await bench.write("s1", 0, 8, OWN);
  await snapshotOfSnapshot();
  expect(await bench.write("o1", 0, 4, NEW)).toBe(BioStatus.Ok);
  expect(await bench.write("o1", 16, 1, NEW)).toBe(BioStatus.Ok);
  expect(await bench.read("s2", 0, 8)).toEqual(Array(8).fill(OWN));
  expect(await bench.read("s2", 16, 8)).toEqual(Array(8).fill(OLD));
  expect(await bench.read("s1", 0, 8)).toEqual([...Array<number>(4).fill(NEW), OWN, OWN, OWN, OWN]);
  expect(await bench.read("o", 0, 24)).toEqual(Array(24).fill(OLD));
});

it("a write to the lowest origin costs the first snapshot a chunk, and the second one none", async () => {
  await snapshotOfSnapshot();
  expect(await bench.write("o", 8, 8, NEW)).toBe(BioStatus.Ok);
  expect([bench.status("s1"), bench.status("s2")]).toEqual(["24/256 16", "8/256 8"]);
  expect(await bench.read("s2", 8, 8)).toEqual(Array(8).fill(OLD));
});

it("a write past the way that keeps is seen by the snapshot of the snapshot", async () => {
  await snapshotOfSnapshot();
  await bench.write("s1", 0, 4, NEW);
  expect(await bench.read("s2", 0, 5)).toEqual([NEW, NEW, NEW, NEW, OLD]);
});

it("a snapshot that is lost takes its own snapshots' reads with it, and the origin below goes on", async () => {
  bench.disk("small", 24);
  await bench.create("t1", "0 64 snapshot origin small P 8");
  await bench.create("t2", "0 64 snapshot t1 c2 P 4");
  for (const chunk of [0, 1]) expect(await bench.write("o", chunk * 8, 8, NEW)).toBe(BioStatus.Ok);
  expect(bench.status("t1")).toBe("Invalid");
  expect(await bench.read("t2", 0, 4)).toBeNull();
  expect(bench.status("t2")).toBe("8/256 8");
  expect(await bench.read("s1", 0, 16)).toEqual(Array(16).fill(OLD));
  expect(await bench.read("o", 0, 16)).toEqual(Array(16).fill(NEW));
});

it("an origin that is a mapped device itself is suspended without losing what waits there", async () => {
  await snapshotOfSnapshot();
  await bench.perform((task) => bench.dm.suspend("s1", task));
  const sent = await bench.start("o1", BioOp.Write, { sector: 0, sectors: 4 }, NEW);
  expect(sent.ends).toBe(0);
  expect(await bench.stat("s2", "pending")).toBe(1);
  await bench.perform((task) => bench.dm.resume("s1", task));
  expect(endOf(sent)).toBe(BioStatus.Ok);
  expect(await bench.read("s2", 0, 4)).toEqual(Array(4).fill(OLD));
  expect(await bench.read("o1", 0, 4)).toEqual(Array(4).fill(NEW));
});
