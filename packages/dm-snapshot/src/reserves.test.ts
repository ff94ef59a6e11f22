import { BioOp, BioStatus } from "@blkstack/bio";
import type { SentBio } from "@blkstack/conformance";
import { allFail } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { endOf, fillOf, Rig } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;
const SECTORS = 400;

/**
 * An origin and its snapshot with chunks of one sector, made before memory runs out: one bio, one
 * pending chunk and eight copies of each device can be under way.
 */
class Tight {
  readonly scheduler: VirtualScheduler;
  readonly rig: Rig<VirtualScheduler>;

  constructor(scheduler = new VirtualScheduler({ isExploring: false })) {
    this.scheduler = scheduler;
    const policies = { pendingReserve: 1 };
    this.rig = new Rig(scheduler, policies, { poolSize: 1 });
    this.rig.disk("origin", SECTORS).bytes.fill(OLD);
  }

  async create(chunks: readonly number[]): Promise<void> {
    const { rig } = this;
    const size = String(SECTORS);
    await this.scheduler.perform("people", async (task) => {
      await rig.dm.create("o", task, { table: `0 ${size} snapshot-origin origin` });
      for (const [index, chunk] of chunks.entries()) {
        rig.disk(`c${String(index)}`, 2048);
        const table = `0 ${size} snapshot origin c${String(index)} P ${String(chunk)}`;
        await rig.dm.create(`s${String(index)}`, task, { table });
      }
    });
    rig.memory.faultPlan = allFail;
  }

  /** Sends it from a task of its own. */
  start(name: string, op: BioOp, sector: number, sectors: number, byte = 0): SentBio {
    const sent = this.rig.bio(this.rig.dm.get(name), op, { sector, sectors }, byte);
    this.scheduler.spawn("user", (task) => this.rig.submitter.submitBio(sent.bio, task));
    return sent;
  }
}

describe("with no memory left", () => {
  it("a write of a hundred chunks of an origin is done with room for one at a time", async () => {
    const tight = new Tight();
    await tight.create([1]);
    const sent = tight.start("o", BioOp.Write, 0, 100, NEW);
    await tight.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    const read = tight.start("s0", BioOp.Read, 0, 101);
    await tight.scheduler.run();
    expect(fillOf(read)).toEqual(Array(101).fill(OLD));
  });

  it("a write of more whole chunks than the copier has jobs for is done", async () => {
    const tight = new Tight();
    await tight.create([1]);
    const sent = tight.start("s0", BioOp.Write, 0, 100, OWN);
    await tight.scheduler.run();
    expect(endOf(sent)).toBe(BioStatus.Ok);
    const read = tight.start("s0", BioOp.Read, 0, 101);
    await tight.scheduler.run();
    expect(fillOf(read)).toEqual([...Array<number>(100).fill(OWN), OLD]);
  });

  it("three hundred writers of an origin with three snapshots all come to their end", async () => {
    const tight = new Tight(
      new VirtualScheduler({ isExploring: false, interrupts: "queued", seed: 7 }),
    );
    await tight.create([4, 2, 1]);
    const sent = Array.from({ length: 300 }, (_, index) =>
      tight.start(index % 5 === 4 ? `s${String(index % 3)}` : "o", BioOp.Write, index, 1, NEW),
    );
    await tight.scheduler.run();
    expect(new Set(sent.map(endOf))).toEqual(new Set([BioStatus.Ok]));
    const read = tight.start("o", BioOp.Read, 0, 300);
    await tight.scheduler.run();
    expect(fillOf(read)).toEqual(
      Array.from({ length: 300 }, (_, index) => (index % 5 === 4 ? OLD : NEW)),
    );
  });

  it("what was taken from the reserves is back in them at the end", async () => {
    const tight = new Tight();
    await tight.create([2, 1]);
    const sent = [0, 10, 20].map((sector) => tight.start("o", BioOp.Write, sector, 9, NEW));
    await tight.scheduler.run();
    expect(new Set(sent.map(endOf))).toEqual(new Set([BioStatus.Ok]));
    tight.rig.memory.faultPlan = null;
    await tight.scheduler.perform("people", async (task) => {
      for (const { name } of [...tight.rig.dm.list()].reverse()) {
        expect(tight.rig.dm.get(name).pools?.liveCount).toBe(0);
        await tight.rig.dm.remove(name, task);
      }
    });
    // Pools warn of what is still in use when they end.
    expect(tight.scheduler.warnings).toEqual([]);
  });
});
