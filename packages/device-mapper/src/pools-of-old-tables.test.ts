import { BioOp, BioStatus } from "@blkstack/bio";
import { EndIoResult } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };

describe.each([frontClone, remainderClone, loop])("cut by $name", (splitPolicy) => {
  /** A suspended device "md" that keeps both pieces of a write, which were given back. */
  async function keepingPieces() {
    const types = [probeType(), probeType({ endIo: () => EndIoResult.Requeue }, "choosy")];
    const bench = new Bench({ splitPolicy, types });
    const reserves = bench.memory.reserves.size;
    await bench.create("md", "0 8 choosy a 0", "8 8 choosy a 8");
    const withDevice = bench.memory.reserves.size;
    bench.a.isHolding = true;
    const sent = await bench.send("md", BioOp.Write, 4, 8);
    bench.scheduler.spawn("suspend", (task) => bench.dm.suspend("md", task, { noflush: true }));
    await bench.scheduler.run();
    bench.a.endAll();
    await bench.scheduler.run();
    expect(bench.dm.info("md").isSuspended).toBe(true);
    return { bench, sent, reserves, withDevice };
  }

  it("what was kept for the bios of a table goes when they have ended and yet another table comes", async () => {
    const { bench, sent, withDevice } = await keepingPieces();
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 16 probe b 0", task);
      await bench.dm.resume("md", task);
    });
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
    await bench.perform(async (task) => {
      await bench.dm.load("md", "0 16 probe b 0", task);
      await bench.dm.resume("md", task);
    });
    expect(bench.memory.reserves.size).toBe(withDevice);
  });

  it("a device that is removed leaves nothing behind of what it kept for bios", async () => {
    const { bench, sent, reserves } = await keepingPieces();
    await bench.perform((task) => bench.dm.remove("md", task));
    expect(sent).toMatchObject({ ends: 1, status: BioStatus.IoError });
    expect(bench.memory.reserves.size).toBe(reserves);
  });
});
