import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import { Throttle } from "@blkstack/throttle";
import { expect, it } from "vitest";
import { throttle } from "./throttle-target.ts";

const START_MS = 1000;
const LINE = "0 100 throttle a 20 gold";

function benchWith(limits: object): TargetBench {
  return new TargetBench({
    types: [throttle],
    services: (parts) => {
      const owner = new Throttle(parts);
      owner.addGroup("gold", { limits });
      return [owner];
    },
  });
}

it("a bio that its group has no room for goes on later, and to the right place", async () => {
  const bench = benchWith({ riops: 10 });
  bench.a.poke(25, new Uint8Array(512).fill(7));
  await bench.create(LINE);
  const first = await bench.start(BioOp.Read, { sector: 5, sectors: 1 });
  const second = await bench.start(BioOp.Read, { sector: 5, sectors: 1 });
  expect([first.status, second.status]).toEqual([BioStatus.Ok, null]);
  await bench.scheduler.advance(1000);
  expect([second.status, second.endedMs - START_MS, second.bytes[0]]).toEqual([
    BioStatus.Ok,
    201,
    7,
  ]);
});

it("lines of one group share its limits, and its statistics", async () => {
  const bench = benchWith({ wiops: 10 });
  await bench.create("0 50 throttle a 0 gold", "50 50 throttle b 0 gold");
  expect(await bench.write(0, 1, 1)).toBe(BioStatus.Ok);
  expect(await bench.write(50, 1, 1)).toBeNull();
  await bench.scheduler.advance(1000);
  expect(await bench.message("stat")).toMatch(/^gold rbytes=0 wbytes=512 rios=0 wios=1 /);
});

it("a limit is changed by a message, at once for what waits too", async () => {
  const bench = benchWith({});
  await bench.create(LINE);
  expect(await bench.message("max", "rbps=2", "riops=50")).toBe(
    "rbps=2 wbps=max riops=50 wiops=max",
  );
  const sent = await bench.start(BioOp.Read, { sector: 0, sectors: 1 });
  expect(sent.status).toBeNull();
  await bench.message("max", "rbps=max");
  await bench.scheduler.advance(0);
  expect(sent.status).toBe(BioStatus.Ok);
  expect(await bench.message("max")).toBe("rbps=max wbps=max riops=50 wiops=max");
});

it("a burst is allowed by a message, beside the limits", async () => {
  const bench = benchWith({ riops: 10 });
  await bench.create(LINE);
  expect(await bench.message("burst")).toBe("0");
  expect(await bench.message("burst", "500")).toBe("500");
  expect(await bench.message("max")).toContain("riops=10");
  await bench.read(0, 1);
  await bench.scheduler.advance(5000);
  const sent = [];
  for (let n = 0; n < 8; n += 1)
    sent.push(await bench.start(BioOp.Read, { sector: n, sectors: 1 }));
  expect(sent.filter(({ status }) => status === BioStatus.Ok)).toHaveLength(5);
  await expect(bench.message("burst", "1s")).rejects.toThrow('"1s" is no number of milliseconds');
});

it("a suspend lets go what waits, and what comes after the resume waits again", async () => {
  const bench = benchWith({ riops: 2 });
  await bench.create(LINE);
  const sent = await bench.start(BioOp.Read, { sector: 0, sectors: 1 });
  expect(sent.status).toBeNull();
  await bench.perform((task) => bench.dm.suspend("md", task));
  expect(sent.status).toBe(BioStatus.Ok);
  await bench.perform((task) => bench.dm.resume("md", task));
  const later = await bench.start(BioOp.Read, { sector: 0, sectors: 1 });
  expect(later.status).toBeNull();
  await bench.perform((task) => bench.dm.remove("md", task));
  expect(later.status).toBe(BioStatus.Ok);
});

it("counts can be seen and reset", async () => {
  const bench = benchWith({ riops: 1000 });
  await bench.create(LINE);
  await bench.read(0, 1);
  await bench.read(0, 2);
  expect(bench.status()).toBe("gold rbytes=1024 wbytes=0 rios=1 wios=0 dbytes=0 dios=0");
  expect(await bench.message("histogram")).toMatch(/^1( 0)+$/);
  await bench.message("reset");
  expect(bench.status()).toContain("rios=0");
  expect(bench.table()).toBe("0 100 throttle 7:0 20 gold");
});

it("says what is wrong with a table or a message", async () => {
  const bench = benchWith({});
  expect(await bench.refusal("0 100 throttle a 20 silver")).toContain("Unknown group");
  expect(await bench.refusal("0 100 throttle a 20")).toContain("Invalid argument count");
  await bench.create(LINE);
  await expect(bench.message("min")).rejects.toThrow("Unrecognised message received");
  await expect(bench.message("max", "rbps=0")).rejects.toThrow("rbps=0 would let nothing through");
});
