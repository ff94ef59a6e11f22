import { Bio, BioOp, BioStatus } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { MapResult } from "@blkstack/block";
import { Completion } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Bench, type BenchOptions } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { offloadBoth, offloadCurrent } from "./offload.ts";
import { loop } from "./split-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };

it("the lists that are rescued from have names", () => {
  expect([offloadCurrent.name, offloadBoth.name]).toEqual(["list0", "both"]);
});

/** A device "md" whose second line sleeps in map until the gate opens. */
async function sleepyBench(options: BenchOptions): Promise<{ bench: Bench; gate: Completion }> {
  const gate = new Completion("a nap");
  const sleepy = probeType(
    {
      async map(bio, target, task) {
        await gate.wait(task);
        return target.sendDown(bio);
      },
    },
    "sleepy",
  );
  const bench = new Bench({ splitPolicy: loop, types: [probeType(), sleepy], ...options });
  await bench.create("md", "0 4 probe a 0", "4 4 sleepy b 0");
  return { bench, gate };
}

it.each([
  [null, []],
  [offloadCurrent, ["WRITE 0+4"]],
  [offloadBoth, ["WRITE 0+4"]],
])(
  "the piece before one whose map sleeps has come to its disk, or waits with it (%o): %o",
  async (offload, log) => {
    const { bench, gate } = await sleepyBench({ offload });
    const sent = await bench.send("md", BioOp.Write, 0, 8);
    expect(bench.a.log).toEqual(log);
    gate.complete();
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
    expect([bench.a.log, bench.b.log]).toEqual([["WRITE 0+4"], ["WRITE 0+4"]]);
  },
);

it.each([
  [offloadCurrent, []],
  [offloadBoth, ["WRITE 8+4"]],
])(
  "what the device above has parked for another goes on while a map sleeps (%o): %o",
  async (offload, log) => {
    const { bench, gate } = await sleepyBench({ offload });
    await bench.create("top", "0 4 probe md 4", "4 4 probe a 8");
    const sent = await bench.send("top", BioOp.Write, 0, 8);
    expect(bench.a.log).toEqual(log);
    gate.complete();
    await bench.scheduler.run();
    expect(sent).toMatchObject(ok);
  },
);

it("first clones have a thread that rescues them only where that is asked for", async () => {
  for (const [offload, hasOne] of [
    [null, false],
    [offloadCurrent, true],
  ] as const) {
    const bench = new Bench({ offload });
    await bench.create("md", "0 4 probe a 0");
    const { ios, clones, splits } = bench.dm.get("md").pools ?? {};
    const rescuers = [ios, clones, splits].map((set) => set?.rescuer !== null);
    expect(rescuers).toEqual([hasOne, true, false]);
  }
});

describe.each([false, true])("after a map that sleeps (%o)", (sleeps) => {
  it("the task has the hook that it had before", async () => {
    const bench = new Bench({
      offload: offloadBoth,
      types: [
        probeType({
          map: (bio, _target, task) => {
            if (!sleeps) return undefined;
            const nap = { label: "a nap", blockers: () => [] };
            const asleep = task.scheduler.sleep(task, nap, 0);
            return asleep.then(() => {
              bio.device = bench.a;
              return MapResult.Remapped;
            });
          },
        }),
      ],
    });
    await bench.create("md", "0 8 probe a 0");
    const hook = (): undefined => undefined;
    const { bio } = bench.prepare("md", BioOp.Write, 0, 4);
    let after: unknown = null;
    bench.scheduler.spawn("sender", async (task) => {
      task.sleepHook = hook;
      await bench.submitter.submitBio(bio, task);
      after = task.sleepHook;
    });
    await bench.scheduler.run();
    expect(after).toBe(hook);
  });
});

describe.each([offloadCurrent, offloadBoth])("$name", ({ rescueParked }) => {
  it("leaves those without a thread to rescue them, in their order", async () => {
    const { scheduler, memory, submitter, a } = new Bench();
    const set = (rescuer: boolean): BioSet =>
      new BioSet({ name: "set", scheduler, memory, submitter, poolSize: 4, rescuer });
    const [rescued, left] = [set(true), set(false)];
    await scheduler.perform("parker", async (task) => {
      const plain = new Bio();
      const bios = [];
      for (const from of [left, rescued, null, rescued, left]) {
        const bio = from === null ? plain : await from.alloc(0, 0, task);
        if (bio === null) throw new Error("the reserve is empty");
        bio.device = a;
        bio.sector = bios.length;
        bios.push(bio);
      }
      task.bioLists = task.ownBioLists;
      task.sleepHook = rescueParked;
      for (const bio of bios) task.bioLists.current.add(bio);
      rescueParked(task);
      expect(task.sleepHook).toBeNull();
      const staying = [];
      const { current } = task.bioLists;
      for (let bio = current.pop(); bio !== null; bio = current.pop()) staying.push(bio);
      expect(staying).toEqual([bios[0], plain, bios[4]]);
      task.bioLists = null;
    });
    await scheduler.run();
    expect(a.log).toEqual(["READ 1+0", "READ 3+0"]);
  });

  it("does nothing where nothing is parked, and once only", async () => {
    const { scheduler } = new Bench();
    await scheduler.perform("idler", (task) => {
      task.sleepHook = rescueParked;
      rescueParked(task);
      expect([task.sleepHook, task.bioLists]).toEqual([null, null]);
    });
  });
});
