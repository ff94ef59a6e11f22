import { Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { type Extent, ExtentFlag, ExtentLayer, type TargetContext } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { Probe, probeType } from "../test/test-targets.ts";
import { TouchLog } from "../test/touch-log.ts";
import { Interruption } from "./interruption.ts";

const ok = { ends: 1, status: BioStatus.Ok };
const nap = { label: "a nap", blockers: () => [] };

/** Sends a bio down after a nap of 100 ms. */
const drowsy = probeType({
  async map(bio, target, task) {
    await task.scheduler.sleep(task, nap, 100);
    return target.sendDown(bio);
  },
});

it("a device is called as people named it, and by its numbers", async () => {
  const bench = new Bench();
  await bench.perform((task) => bench.dm.create("md", task, { minor: 7 }));
  const { name, deviceNumber, kernelName, minor } = bench.dm.get("md");
  expect({ name, deviceNumber, kernelName, minor }).toEqual({
    name: "md",
    deviceNumber: "253:7",
    kernelName: "dm-7",
    minor: 7,
  });
});

it("a device without a table has no sectors, may be written to, and keeps no bios", async () => {
  const bench = new Bench();
  await bench.perform((task) => bench.dm.create("md", task));
  const { sizeSectors, isReadOnly, pools, live, isBusy } = bench.dm.get("md");
  expect({ sizeSectors, isReadOnly, pools, live, isBusy }).toEqual({
    sizeSectors: 0,
    isReadOnly: false,
    pools: null,
    live: null,
    isBusy: false,
  });
});

it("a removed device is as empty as one without a table, and takes no bio in", async () => {
  const bench = new Bench();
  await bench.perform((task) =>
    bench.dm.create("md", task, { table: "0 16 probe a 0", isReadOnly: true }),
  );
  const md = bench.dm.get("md");
  expect([md.sizeSectors, md.isReadOnly, md.queue.limits.maxDiscardSectors]).toEqual([
    16,
    true,
    0xffff,
  ]);
  const late = bench.prepare("md", BioOp.Read, 0, 4);
  await bench.perform((task) => bench.dm.remove("md", task));
  expect([md.sizeSectors, md.isReadOnly, md.queue.isDying]).toEqual([0, false, true]);
  expect([md.live, md.pools]).toEqual([null, null]);
  await bench.perform(async (task) => bench.submitter.submitBio(late.bio, task));
  expect(late).toMatchObject({ ends: 1, status: BioStatus.IoError });
});

describe("a bio", () => {
  it("that nobody has wait is with its targets when the submission is over", async () => {
    const bench = new Bench();
    await bench.create("md", "0 16 probe a 0");
    bench.a.isHolding = true;
    const { bio } = bench.prepare("md", BioOp.Write, 0, 4);
    const md = bench.dm.get("md");
    const submitted = await bench.perform((task) =>
      Promise.resolve({ is: md.submitBio(bio, task) }),
    );
    expect(submitted).toEqual({ is: undefined });
    expect([md.submitters.count, md.inFlight.count, md.isBusy]).toEqual([0, 1, true]);
  });

  it("in whose way a target sleeps keeps its sender in the way of a suspend, which says so", async () => {
    const bench = new Bench({ types: [drowsy] });
    await bench.create("md", "0 16 probe a 0");
    const md = bench.dm.get("md");
    const { bio } = bench.prepare("md", BioOp.Write, 0, 4);
    bench.a.isHolding = true;
    const sender = bench.scheduler.spawn("sender", (task) => bench.submitter.submitBio(bio, task));
    await bench.scheduler.run();
    const people = bench.scheduler.spawn("people", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    expect([people.waitingFor?.label, people.waitingFor?.blockers()]).toEqual([
      "submitters of md",
      [sender],
    ]);
    await bench.scheduler.advance(100);
    expect([people.waitingFor?.label, people.waitingFor?.blockers()]).toEqual([
      "bios in flight of md",
      [bio],
    ]);
    expect(md.submitters.count).toBe(0);
    bench.a.endAll();
    await bench.scheduler.run();
    expect([people.waitingFor, md.isBusy]).toEqual([null, false]);
  });
});

it("a suspend that is called off while a task is on its way to the targets is undone", async () => {
  const bench = new Bench();
  await bench.create("md", "0 16 probe a 0");
  const md = bench.dm.get("md");
  const sender = { label: "a sender that waits for a clone" };
  md.submitters.enter(sender);
  expect(md.isBusy).toBe(true);
  const interruption = new Interruption();
  interruption.raise();
  await bench.perform(async (task) => {
    const suspended = bench.dm.suspend("md", task, { interruption });
    await expect(suspended).rejects.toMatchObject({ errno: "EINTR" });
  });
  md.submitters.leave(sender);
  expect([md.isBusy, bench.dm.info("md").isSuspended]).toEqual([false, false]);
  expect(await bench.send("md", BioOp.Write, 0, 4)).toMatchObject(ok);
});

it("data behind a flush that no target takes goes down at once, and flushes nobody", async () => {
  const flags: number[] = [];
  const type = probeType({
    flushes: 0,
    map: (bio) => {
      flags.push(bio.flags & BioFlag.Preflush);
      return undefined;
    },
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", "0 16 probe a 0");
  const sent = bench.prepare("md", BioOp.Write, 0, 4, BioFlag.Preflush);
  await bench.perform(async (task) => {
    // Straight to the driver: where nothing is to be flushed, the submitter would not ask for it.
    await bench.dm.get("md").submitBio(sent.bio, task);
    expect(sent).toMatchObject(ok);
  });
  expect([flags, bench.a.log]).toEqual([[0], ["WRITE 0+4"]]);
});

describe("an explorer", () => {
  const reading = "Read deferred bios of md: submit to md";
  const writing = "Write deferred bios of md: block md";

  /** What is told of "md" while `act` goes on. */
  async function told(
    act: (bench: Bench, task: Task) => Promise<unknown>,
    isExploring = true,
  ): Promise<string[]> {
    const scheduler = new TouchLog({ isExploring });
    const bench = new Bench({ scheduler });
    await bench.create("md", "0 16 probe a 0");
    scheduler.take();
    await bench.perform((task) => act(bench, task));
    return scheduler.take().filter((touch) => touch === reading || touch === writing);
  }

  const submit = async (bench: Bench, task: Task): Promise<void> => {
    await bench.dm.get("md").submitBio(bench.prepare("md", BioOp.Read, 0, 4).bio, task);
  };

  it("hears that a bio looks whether its device takes bios, and nobody else does", async () => {
    expect(await told(submit)).toEqual([reading]);
    expect(await told(submit, false)).toEqual([]);
  });

  it("hears that a bio that came back looks whether somebody wants it", async () => {
    const asked = await told(async (bench) => Promise.resolve(bench.dm.get("md").takesBack()));
    expect(asked).toEqual([reading]);
  });

  it("hears of each change that bios may see: a suspend, another table, a resume", async () => {
    expect(await told((bench, task) => bench.dm.suspend("md", task))).toEqual([writing]);
    const changes = await told(async (bench, task) => {
      await bench.dm.load("md", "0 16 probe b 0", task);
      await bench.dm.resume("md", task);
    });
    expect(changes).toEqual([writing, writing, writing]);
  });
});

describe("who asks what is known of sectors", () => {
  /** Knows that its sectors are a hole, as many as it is asked for. */
  class Hole extends Probe {
    readonly asked: string[];

    constructor(context: TargetContext, asked: string[]) {
      super(context, {});
      this.asked = asked;
    }

    findExtent(sector: number, extent: Extent): void {
      this.asked.push(`${String(sector)}+${String(extent.sectors)}`);
      extent.flags = ExtentFlag.Hole;
      extent.layer = ExtentLayer.Cow;
    }
  }

  /** "md": four sectors of data, four of a hole, eight of data. */
  async function sparse() {
    const asked: string[] = [];
    const create = (context: TargetContext): Hole => new Hole(context, asked);
    const bench = new Bench({ types: [probeType(), { ...probeType({}, "hole"), create }] });
    await bench.create("md", "0 4 probe a 0", "4 4 hole a 4", "8 8 probe a 8");
    const ask = (sector: number, sectors: number): Extent => {
      const extent: Extent = { sectors, flags: ExtentFlag.Zero, layer: ExtentLayer.Origin };
      bench.dm.get("md").findExtent(sector, extent);
      return extent;
    };
    return { bench, asked, ask };
  }

  const data = (sectors: number): Extent => ({ sectors, flags: 0, layer: ExtentLayer.Only });

  it("is answered by the target there, for no more than is its own", async () => {
    const { asked, ask } = await sparse();
    const hole = { flags: ExtentFlag.Hole, layer: ExtentLayer.Cow };
    expect(ask(5, 9)).toEqual({ sectors: 3, ...hole });
    expect(ask(5, 2)).toEqual({ sectors: 2, ...hole });
    expect(asked).toEqual(["5+3", "5+2"]);
  });

  it("hears that it is data where the target does not tell", async () => {
    const { ask } = await sparse();
    expect([ask(1, 16), ask(1, 2), ask(9, 7)]).toEqual([data(3), data(2), data(7)]);
  });

  it("hears that all of it is data while the device is suspended: no target is asked", async () => {
    const { bench, asked, ask } = await sparse();
    await bench.perform((task) => bench.dm.suspend("md", task));
    expect([ask(5, 9), asked]).toEqual([data(9), []]);
    await bench.perform((task) => bench.dm.resume("md", task));
    expect(ask(5, 9)).toMatchObject({ sectors: 3, flags: ExtentFlag.Hole });
  });

  it("hears that all of it is data where there is no table, and behind its end", async () => {
    const { bench, ask } = await sparse();
    expect(ask(16, 4)).toEqual(data(4));
    await bench.perform((task) => bench.dm.create("empty", task));
    const extent: Extent = { sectors: 9, flags: ExtentFlag.Zero, layer: ExtentLayer.Cow };
    bench.dm.get("empty").findExtent(0, extent);
    expect(extent).toEqual(data(9));
  });
});

it("a device that is blocked lets bios in again when it is told to, those first that waited", async () => {
  const bench = new Bench();
  await bench.create("md", "0 16 probe a 0");
  const md = bench.dm.get("md");
  await bench.perform((task) => md.block(task));
  const kept = await bench.send("md", BioOp.Write, 0, 4);
  md.pushBack(
    Object.assign(new Bio(), { device: md, op: BioOp.WriteZeroes, sector: 8, sizeBytes: 2048 }),
  );
  expect([kept.ends, md.deferred.count]).toEqual([0, 2]);
  bench.scheduler.spawn("people", (task) => {
    md.unblock(task);
  });
  await bench.scheduler.run();
  expect(bench.a.log).toEqual(["WRITE_ZEROES 8+4", "WRITE 0+4"]);
  expect(kept).toMatchObject(ok);
});
