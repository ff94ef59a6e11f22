import { BioOp, BioStatus } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import { expect, test } from "vitest";
import { TargetBench } from "./index.ts";

/** Begins in the middle of its device. */
const halfway: TargetType = defineTarget({
  name: "halfway",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(1);
    const device = context.openDevice(context.args[0] ?? "");
    return {
      map(bio) {
        bio.device = device;
        bio.sector = bio.sector - context.begin + 50;
        return MapResult.Remapped;
      },
      status: (kind) => (kind === "table" ? context.deviceLabel(device) : "well"),
    };
  },
});

test("what a target maps arrives at the disk, which tells of it", async () => {
  const bench = new TargetBench({ types: [halfway] });
  await bench.create("0 10 halfway a");
  expect(await bench.write(3, 2, 7)).toBe(BioStatus.Ok);
  expect(bench.a.firstBytes({ sector: 53, sectors: 2 })).toEqual([7, 7]);
  expect(await bench.read(2, 2)).toEqual([0, 7]);
  expect(bench.a.log).toEqual(["WRITE 53+2", "READ 52+2"]);
  expect([bench.status(), bench.table()]).toEqual(["well", "0 10 halfway 7:0"]);
});

test("a bio counts its ends, and knows when the last was", async () => {
  const bench = new TargetBench({ types: [halfway] });
  await bench.create("0 10 halfway b");
  const beganMs = bench.scheduler.clock.nowMs();
  await bench.scheduler.advance(12);
  const sent = await bench.start(BioOp.Read, { sector: 0, sectors: 1 });
  expect([sent.status, sent.ends, sent.endedMs - beganMs]).toEqual([BioStatus.Ok, 1, 12]);
});

test("a read that fails shows no data, and leaves the buffer as it was", async () => {
  const bench = new TargetBench({ types: [halfway] });
  await bench.create("0 10 halfway a");
  bench.a.faults = { statusOf: () => BioStatus.IoError };
  expect(await bench.read(0, 1)).toBeNull();
  const sent = await bench.start(BioOp.Read, { sector: 0, sectors: 1 }, { byte: 5 });
  expect(sent.bytes[0]).toBe(5);
});

test("a table that is refused says why", async () => {
  const bench = new TargetBench({ types: [halfway] });
  expect(await bench.refusal("0 10 halfway")).toContain("Invalid argument count");
  expect(await bench.refusal("0 10 halfway c")).toContain("Device lookup failed");
  expect(await bench.refusal("0 10 halfway a")).toBe("taken");
});
