import { BioOp, BioStatus } from "@blkstack/bio";
import type { Target, TargetContext, TargetHost } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";

const ok = { ends: 1, status: BioStatus.Ok };

type Hook = (host: TargetHost, task: Task) => Promise<void>;

/** A device "md" over disk a, its host as its target sees it, and what the target does when told. */
async function heldBench({ presuspend, resume }: { presuspend?: Hook; resume?: Hook } = {}) {
  const hosts: TargetHost[] = [];
  const probe = probeType();
  const create = async (context: TargetContext): Promise<Target> => {
    const { host } = context;
    hosts.push(host);
    return Object.assign(await probe.create(context), {
      presuspend: async (task: Task) => presuspend?.(host, task),
      resume: async (task: Task) => resume?.(host, task),
    });
  };
  const bench = new Bench({ types: [{ ...probe, create }] });
  await bench.create("md", "0 16 probe a 0");
  const [host] = hosts;
  if (host === undefined) throw new Error("no target was made");
  return { bench, host };
}

describe("a device that is held from inside", () => {
  it("lets bios go on as soon as it is held no more, which people need not ask for", async () => {
    const { bench, host } = await heldBench();
    await bench.perform(async (task) => host.suspendInternally(task));
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([sent.ends, bench.a.log]).toEqual([0, []]);
    await bench.perform(async (task) => host.resumeInternally(task));
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
    expect(await bench.send("md", BioOp.Write, 8, 8)).toMatchObject(ok);
  });

  it("by two is quiet for both: the second waits for bios in flight, too", async () => {
    const { bench, host } = await heldBench();
    bench.a.isHolding = true;
    await bench.send("md", BioOp.Write, 0, 8);
    const order: string[] = [];
    for (const name of ["first", "second"]) {
      bench.scheduler.spawn(name, async (task) => {
        await host.suspendInternally(task);
        order.push(`${name} has it quiet`);
      });
    }
    await bench.scheduler.run();
    order.push("the bio ends");
    bench.a.endAll();
    await bench.scheduler.run();
    expect(order).toEqual(["the bio ends", "first has it quiet", "second has it quiet"]);
  });

  it("waits for a command of people that is under way", async () => {
    const { bench, host } = await heldBench();
    bench.a.isHolding = true;
    await bench.send("md", BioOp.Write, 0, 8);
    bench.scheduler.spawn("people", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    const holder = bench.scheduler.spawn("holder", async (task) => host.suspendInternally(task));
    await bench.scheduler.run();
    expect(holder.waitingFor?.label).toBe('mutex "suspend of md"');
    bench.a.endAll();
    await bench.scheduler.run();
    expect([holder.waitingFor, host.isSuspended]).toEqual([null, true]);
  });

  it("keeps people's commands waiting, who learn for whom", async () => {
    const { bench, host } = await heldBench();
    const holder = bench.scheduler.spawn("holder", async (task) => host.suspendInternally(task));
    await bench.scheduler.run();
    const people = bench.scheduler.spawn("people", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    const { waitingFor } = people;
    expect(waitingFor?.label).toBe("internal suspends of md");
    expect(waitingFor?.blockers()).toEqual([holder]);
  });

  it("and is suspended by people stays so when it is held no more", async () => {
    const { bench, host } = await heldBench();
    await bench.perform((task) => bench.dm.suspend("md", task));
    await bench.perform(async (task) => {
      await host.suspendInternally(task);
      await host.resumeInternally(task);
    });
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([sent.ends, host.isSuspended]).toEqual([0, true]);
    await bench.perform((task) => bench.dm.resume("md", task));
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
  });

  it("takes over what its targets say of themselves by then", async () => {
    const { bench, host } = await heldBench();
    const target = bench.dm.get("md").live?.table.entries[0]?.target;
    await bench.perform(async (task) => {
      await host.suspendInternally(task);
      Object.assign(target ?? {}, { maxIoSectors: 4 });
      await host.resumeInternally(task);
    });
    await bench.send("md", BioOp.Write, 0, 8);
    expect(bench.a.log).toEqual(["WRITE 0+4", "WRITE 4+4"]);
  });
});

describe("a target that holds its own device inside a command", () => {
  it("as it is resumed has no bio come to it until it lets go, long after", async () => {
    const { bench, host } = await heldBench({
      resume: async (own, task) => own.suspendInternally(task),
    });
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([sent.ends, host.isSuspended]).toEqual([0, false]);
    await bench.perform(async (task) => host.resumeInternally(task));
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
  });

  it("which then is undone, has no bio come to it until it lets go", async () => {
    const { bench, host } = await heldBench({
      presuspend: async (own, task) => own.suspendInternally(task),
    });
    bench.dm.addUser("md", {
      onFreeze: () => {
        throw new Error("not now");
      },
      onThaw: () => undefined,
    });
    await bench.perform(async (task) => {
      await expect(bench.dm.suspend("md", task)).rejects.toThrow("not now");
    });
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect([sent.ends, host.isSuspended]).toEqual([0, false]);
    await bench.perform(async (task) => host.resumeInternally(task));
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
  });

  it("has whoever lets go for it wait until that command is over", async () => {
    const { bench, host } = await heldBench({
      presuspend: async (own, task) => own.suspendInternally(task),
    });
    bench.dm.addUser("md", {
      onFreeze: (task) =>
        task.scheduler.sleep(task, { label: "the journal", blockers: () => [] }, 100).then(),
      onThaw: () => undefined,
    });
    bench.scheduler.spawn("people", (task) => bench.dm.suspend("md", task));
    await bench.scheduler.run();
    const other = bench.scheduler.spawn("other", async (task) => host.resumeInternally(task));
    await bench.scheduler.run();
    expect(other.waitingFor?.label).toBe('mutex "suspend of md"');
    await bench.scheduler.advance(100);
    expect([other.waitingFor, host.isSuspended]).toEqual([null, true]);
  });

  it("may let go while that command goes on", async () => {
    const { bench } = await heldBench({
      presuspend: async (own, task) => {
        await own.suspendInternally(task);
        await own.resumeInternally(task);
      },
    });
    await bench.perform(async (task) => {
      await bench.dm.suspend("md", task);
      await bench.dm.resume("md", task);
    });
    expect(await bench.send("md", BioOp.Write, 0, 8)).toMatchObject(ok);
  });
});

it("a target whose table is not live yet may hold its device", async () => {
  const hosts: TargetHost[] = [];
  const probe = probeType();
  const type = {
    ...probe,
    create: (context: TargetContext) => {
      hosts.push(context.host);
      return probe.create(context);
    },
  };
  const bench = new Bench({ types: [type] });
  await bench.perform(async (task) => {
    await bench.dm.create("md", task);
    await bench.dm.load("md", "0 16 probe a 0", task);
    await hosts[0]?.suspendInternally(task);
    await hosts[0]?.resumeInternally(task);
    await bench.dm.resume("md", task);
  });
  expect(hosts).toHaveLength(1);
  expect(await bench.send("md", BioOp.Write, 0, 8)).toMatchObject(ok);
});
