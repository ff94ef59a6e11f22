import { BioOp, BioStatus } from "@blkstack/bio";
import { BlockError, type TargetContext } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";

/** A bench whose probe targets leave their contexts here. */
function benchWithContexts(onLog?: (line: string) => void) {
  const contexts: TargetContext[] = [];
  const probe = probeType();
  const type = {
    ...probe,
    create: (context: TargetContext) => {
      contexts.push(context);
      return probe.create(context);
    },
  };
  const bench = new Bench({ types: [type], ...(onLog && { onLog }) });
  const context = (index: number): TargetContext => {
    const found = contexts[index];
    if (found === undefined) throw new Error(`no target ${String(index)} was made`);
    return found;
  };
  return { bench, context };
}

class Common {
  readonly seen = new Set<string>();
}

it("targets find the memory of their system, and nothing that was not given", async () => {
  const { bench, context } = benchWithContexts();
  await bench.create("md", "0 8 probe a");
  expect(context(0).service(Memory)).toBe(bench.memory);
  expect(() => context(0).service(Common)).toThrow(BlockError);
});

it("targets of all devices share one object of a class, and other systems have their own", async () => {
  const { bench, context } = benchWithContexts();
  await bench.create("one", "0 8 probe a");
  await bench.create("two", "0 8 probe b");
  const other = benchWithContexts();
  await other.bench.create("one", "0 8 probe a");
  expect(context(1).shared(Common)).toBe(context(0).shared(Common));
  expect(other.context(0).shared(Common)).not.toBe(context(0).shared(Common));
});

it("a target tells people of events, who may wait for the next", async () => {
  const { bench, context } = benchWithContexts();
  await bench.create("md", "0 8 probe a");
  const { host } = context(0);
  host.raiseEvent();
  expect(bench.dm.info("md").eventNumber).toBe(1);
  expect(await bench.perform((task) => bench.dm.wait("md", 0, task))).toBe(1);
  bench.scheduler.spawn("event", () => {
    host.raiseEvent();
  });
  expect(await bench.perform((task) => bench.dm.wait("md", 1, task))).toBe(2);
});

it("a story says that who waits for an event of a device does", async () => {
  const { bench } = benchWithContexts();
  await bench.create("md", "0 8 probe a");
  bench.scheduler.spawn("waiter", async (task) => {
    await bench.dm.wait("md", 0, task);
  });
  await bench.scheduler.run();
  const labels = bench.scheduler.sleepers().map(({ waitingFor }) => waitingFor?.label);
  expect(labels).toEqual(["events of md"]);
});

it("what a target logs carries the name of its device", async () => {
  const lines: string[] = [];
  const { bench, context } = benchWithContexts((line) => lines.push(line));
  await bench.create("md", "0 8 probe a");
  context(0).host.log("is full");
  expect(lines).toEqual(["md: is full"]);
});

it("bios wait while a device is suspended from inside, and so do commands", async () => {
  const { bench, context } = benchWithContexts();
  await bench.create("md", "0 8 probe a");
  const { host } = context(0);
  await bench.perform(async (task) => host.suspendInternally(task));
  await bench.perform(async (task) => host.suspendInternally(task));
  const sent = bench.prepare("md", BioOp.Write, 0, 8);
  const done: string[] = [];
  bench.scheduler.spawn("sender", (task) => bench.submitter.submitBio(sent.bio, task));
  bench.scheduler.spawn("command", async (task) => {
    await bench.dm.suspend("md", task);
    done.push("suspended");
  });
  await bench.perform(async (task) => host.resumeInternally(task));
  await bench.scheduler.run();
  expect([sent.ends, done, host.isSuspended]).toEqual([0, [], false]);
  await bench.perform(async (task) => host.resumeInternally(task));
  await bench.scheduler.run();
  expect([done, host.isSuspended]).toEqual([["suspended"], true]);
  await bench.perform((task) => bench.dm.resume("md", task));
  await bench.scheduler.run();
  expect([sent.ends, sent.status]).toEqual([1, BioStatus.Ok]);
});

it("a bio in flight is waited for", async () => {
  const { bench, context } = benchWithContexts();
  await bench.create("md", "0 8 probe a");
  bench.a.isHolding = true;
  await bench.send("md", BioOp.Write, 0, 8);
  const order: string[] = [];
  bench.scheduler.spawn("holder", async (task) => {
    await context(0).host.suspendInternally(task);
    order.push("quiet");
  });
  await bench.scheduler.run();
  order.push("end");
  bench.a.endAll();
  await bench.scheduler.run();
  expect(order).toEqual(["end", "quiet"]);
});

it("a target may ask for it while its own device is resumed", async () => {
  const probe = probeType();
  const asking = {
    ...probe,
    create: async (context: TargetContext) =>
      Object.assign(await probe.create(context), {
        resume: async (task: Task) => {
          await context.host.suspendInternally(task);
          await context.host.resumeInternally(task);
        },
      }),
  };
  const bench = new Bench({ types: [asking] });
  await bench.create("md", "0 8 probe a");
  await bench.perform(async (task) => {
    await bench.dm.suspend("md", task);
    await bench.dm.resume("md", task);
  });
  expect((await bench.send("md", BioOp.Read, 0, 8)).status).toBe(BioStatus.Ok);
});
