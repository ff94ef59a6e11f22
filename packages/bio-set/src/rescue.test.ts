import { Bio, BIO_MAX_VECS, bioEndio, BioList, BioStatus } from "@blkstack/bio";
import { allFail, failsAt, failsWithoutWaiting } from "@blkstack/memory";
import { GFP_NOIO, GFP_NOWAIT, WorkerPool, WorkQueue } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { brokenDisk, Stack, TestDevice } from "../test/stack.ts";
import { BioSet, type BioSetOptions } from "./bio-set.ts";
import {
  rescueBoth,
  rescueCurrent,
  rescueNone,
  type RescuePolicy,
  takeOwn,
} from "./rescue-policy.ts";

/** One level that cuts each bio in two, with `poolSize` bios and no memory. */
function oneLevel(rescue: RescuePolicy, poolSize = 1): { stack: Stack; set: BioSet } {
  const stack = new Stack("single");
  const set = stack.set("S", poolSize, { rescue });
  const driver = stack.splitter("D", set, [stack.disk, stack.disk]);
  stack.memory.faultPlan = allFail;
  for (let number = 1; number <= poolSize; number += 1) stack.write(driver, `W${String(number)}`);
  return { stack, set };
}

describe("a driver that needs two bios of a set with one (T4.1, row 1)", () => {
  it("waits for ever when its first is parked and nobody rescues it", async () => {
    const { stack } = oneLevel(rescueNone);
    expect(await stack.isDeadlocked()).toBe(true);
    const [waiting] = stack.scheduler.sleepers();
    const [held] = waiting?.waitingFor?.blockers() ?? [];
    expect(waiting?.waitingFor?.label).toBe('bio_set "S"');
    expect(held).toMatchObject({ private: "W1.D1", allocatedBy: waiting });
  });

  it("gets its second when the rescuer has submitted its first, at once", async () => {
    const { stack, set } = oneLevel(rescueBoth);
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(set.counters).toEqual({ punts: 1, rescued: 1 });
    expect(stack.submitter.submitted).toEqual(["W1: W1", "worker of rescue S: W1.D1", "W1: W1.D2"]);
    expect(stack.scheduler.clock.nowMs()).toBe(1000);
    stack.assertQuiet();
  });

  it("is rescued as well by who looks at the current list only: here is no other", async () => {
    const { stack, set } = oneLevel(rescueCurrent);
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(set.counters).toEqual({ punts: 1, rescued: 1 });
    stack.assertQuiet();
  });

  it("waits for ever when the emptiness test is inverted (M1a)", async () => {
    const { stack } = oneLevel({ ...rescueBoth, triesWithoutWaiting: (lists) => lists.isEmpty });
    expect(await stack.isDeadlocked()).toBe(true);
  });

  it("is told null under a mask that may wait when nothing is punted (M1b)", async () => {
    const { stack, set } = oneLevel({ ...rescueBoth, puntsForBios: false });
    expect(await stack.isDeadlocked()).toBe(false);
    expect(stack.ended).toEqual([BioStatus.Resource]);
    expect(set.counters.punts).toBe(0);
  });

  it("is told null without a punt when it may not wait (T4.2)", async () => {
    const stack = new Stack("single");
    const set = stack.set("S", 1);
    stack.memory.faultPlan = allFail;
    const driver = new TestDevice("D", async (parent, task) => {
      const first = (await set.alloc(GFP_NOWAIT, 0, task)) ?? new Bio();
      first.device = stack.disk;
      first.endIo = (bio) => {
        bio.put();
        bioEndio(parent);
      };
      await stack.submitter.submitBio(first, task);
      expect(set.alloc(GFP_NOWAIT, 0, task)).toBeNull();
      expect([...(task.bioLists?.current ?? [])]).toEqual([first]);
    });
    stack.write(driver);
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(set.counters.punts).toBe(0);
    stack.assertQuiet();
  });

  it("needs no rescue when memory has a bio for who does not wait", async () => {
    const { stack, set } = oneLevel(rescueBoth);
    stack.memory.faultPlan = null;
    await stack.scheduler.run();
    expect([stack.ended, set.counters.punts]).toEqual([[BioStatus.Ok], 0]);
    stack.assertQuiet();
  });

  it("is rescued where memory is only for who waits, though it need not have been", async () => {
    const { stack, set } = oneLevel(rescueBoth);
    stack.memory.faultPlan = failsWithoutWaiting;
    await stack.scheduler.run();
    expect([stack.ended, set.counters.punts]).toEqual([[BioStatus.Ok], 1]);
    stack.assertQuiet();
  });

  it("just waits, with its mask, where the set has no rescuer", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { rescuer: false });
    stack.memory.faultPlan = allFail;
    stack.write(stack.splitter("D", set, [stack.disk, stack.disk]));
    expect(await stack.isDeadlocked()).toBe(true);
    expect([set.rescueList, set.rescueWork, set.counters.punts]).toEqual([null, null, 0]);
  });
});

describe("two tasks that need two bios each of a set with two (row 2)", () => {
  const stackOf = (seed: number, rescue: RescuePolicy): Stack => {
    const stack = new Stack("single", { seed });
    const set = stack.set("S", 2, { rescue });
    const driver = stack.splitter("D", set, [stack.disk, brokenDisk]);
    stack.memory.faultPlan = allFail;
    stack.write(driver, "T1");
    stack.write(driver, "T2");
    return stack;
  };

  it("both get them, in every order, and an error reaches its parent", async () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const stack = stackOf(seed, rescueBoth);
      await stack.scheduler.run();
      expect(stack.ended).toEqual([BioStatus.IoError, BioStatus.IoError]);
      expect(stack.scheduler.clock.nowMs()).toBe(1000);
      stack.assertQuiet();
    }
  });

  it("are stuck in some order when the work is queued before the list is appended to (M2)", async () => {
    const queueFirst: RescuePolicy = {
      ...rescueBoth,
      punt(rescuer, lists, task) {
        const own = new BioList();
        takeOwn(lists.current, rescuer, own);
        rescuer.queue(task);
        return rescuer.append(own, task);
      },
    };
    const verdicts = new Set<boolean>();
    for (let seed = 0; seed < 200; seed += 1) {
      verdicts.add(await stackOf(seed, queueFirst).isDeadlocked());
    }
    expect([...verdicts].sort()).toEqual([false, true]);
  });
});

describe("a second bio whose vectors are all in use (T4.3, row 3)", () => {
  const stackOf = (
    rescue: RescuePolicy,
    create = (options: BioSetOptions) => new BioSet(options),
  ) => {
    const stack = new Stack("single");
    const set = create(stack.options("S", 1, { rescue, needBvecs: true }));
    stack.sets.push(set);
    stack.memory.faultPlan = failsAt(["bvec-64 of S", `bvec-${String(BIO_MAX_VECS)} of S`]);
    stack.write(stack.splitter("D", set, [stack.disk, stack.disk], 32));
    return { stack, set };
  };

  it.each([
    ["both lists", rescueBoth],
    ["the current list", rescueCurrent],
  ])(
    "gets them after the first was rescued off %s, at the second place",
    async (_lists, rescue) => {
      const { stack, set } = stackOf(rescue);
      await stack.scheduler.run();
      expect(stack.ended).toEqual([BioStatus.Ok]);
      expect(set.counters).toEqual({ punts: 1, rescued: 1 });
      stack.assertQuiet();
    },
  );

  it("is given up, though its mask may wait, where only the first place does it (M3a)", async () => {
    const { stack, set } = stackOf({ ...rescueBoth, puntsForVecs: false });
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Resource]);
    expect(set.bioPool.liveCount).toBe(0);
  });

  it("is lost where giving up does not give it back (M3b)", async () => {
    class Forgetful extends BioSet {
      protected override giveUp(): void {
        // Forgets to.
      }
    }
    const { stack, set } = stackOf(
      { ...rescueBoth, puntsForVecs: false },
      (options) => new Forgetful(options),
    );
    await stack.scheduler.run();
    expect(set.bioPool.liveCount).toBe(1);
  });

  it("is punted for only once, if its bio was punted for already", async () => {
    const { stack, set } = stackOf(rescueBoth);
    stack.memory.faultPlan = allFail;
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(set.counters.punts).toBe(1);
    stack.assertQuiet();
  });
});

describe("two levels", () => {
  const everything: RescuePolicy = {
    ...rescueBoth,
    async punt(rescuer, lists, task) {
      const all = new BioList();
      all.mergeInit(lists.current);
      all.mergeInit(lists.older);
      await rescuer.rescue(all, task);
    },
  };

  const stackOf = (lists: "single" | "two", rescue: RescuePolicy): Stack => {
    const stack = new Stack(lists);
    const lower = stack.splitter("L", stack.set("L", 1, { rescue }), [stack.disk, stack.disk]);
    const upper = stack.splitter("U", stack.set("U", 2), [lower, lower]);
    stack.memory.faultPlan = allFail;
    stack.write(upper);
    return stack;
  };

  it.each(["single", "two"] as const)(
    "with a set each get through, with the %s list (T4.4, row 4)",
    async (lists) => {
      const stack = stackOf(lists, rescueBoth);
      await stack.scheduler.run();
      expect(stack.ended).toEqual([BioStatus.Ok]);
      stack.assertQuiet();
    },
  );

  it.each(["single", "two"] as const)(
    "deadlock when bios of the upper one are punted by the lower, with the %s list (M4)",
    async (lists) => {
      expect(await stackOf(lists, everything).isDeadlocked()).toBe(true);
    },
  );

  it("that share one set deadlock, with all code right (T4.5, M5c)", async () => {
    const stack = new Stack("two");
    const shared = stack.set("S", 1);
    const lower = stack.splitter("L", shared, [stack.disk, stack.disk]);
    stack.memory.faultPlan = allFail;
    stack.write(stack.splitter("U", shared, [lower, lower]));
    expect(await stack.isDeadlocked()).toBe(true);
  });
});

describe("rescuers without memory (T4.6, row 5)", () => {
  const stackOf = (queueOf: (stack: Stack, name: string, pool: WorkerPool) => WorkQueue): Stack => {
    const stack = new Stack("two");
    const pool = new WorkerPool({ canCreateWorker: () => false });
    const setOf = (name: string): BioSet =>
      stack.set(name, 1, { rescueQueue: queueOf(stack, name, pool) });
    const lower = stack.splitter("L", setOf("L"), [stack.disk, stack.disk]);
    const upper = stack.splitter("U", setOf("U"), [lower, lower]);
    stack.memory.faultPlan = allFail;
    stack.write(upper);
    return stack;
  };
  const queueOf = (
    stack: Stack,
    name: string,
    pool: WorkerPool,
    reclaimGuaranteed = true,
  ): WorkQueue =>
    new WorkQueue({ scheduler: stack.scheduler, name, reclaimGuaranteed, maxActive: 1, pool });

  it("get both levels through, each with a queue of its own", async () => {
    const stack = stackOf(queueOf);
    expect(await stack.isDeadlocked()).toBe(false);
    expect(stack.ended).toEqual([BioStatus.Ok]);
    stack.assertQuiet();
  });

  it("wait for each other on one queue (M5a)", async () => {
    let shared: WorkQueue | null = null;
    const stack = stackOf((on, name, pool) => (shared ??= queueOf(on, name, pool)));
    expect(await stack.isDeadlocked()).toBe(true);
  });

  it("never run on queues without the guarantee (M5b)", async () => {
    const stack = stackOf((on, name, pool) => queueOf(on, name, pool, false));
    expect(await stack.isDeadlocked()).toBe(true);
  });
});

describe("a punt (T4.7)", () => {
  it("takes the set's own bios off both lists, and keeps all in order", async () => {
    const stack = new Stack("two");
    const [set, other] = [stack.set("S", 2), stack.set("T", 1)];
    await stack.scheduler.perform("task", async (task) => {
      const { rescuer } = set;
      if (rescuer === null) throw new Error("no rescuer");
      const [a, b, x] = [
        await set.alloc(GFP_NOWAIT, 0, task),
        await set.alloc(GFP_NOWAIT, 0, task),
        await other.alloc(GFP_NOWAIT, 0, task),
      ].map((bio) => bio ?? new Bio());
      const y = new Bio();
      if (a === undefined || b === undefined || x === undefined) throw new Error("no bio");
      const own = new BioList();
      const list = new BioList();
      for (const bio of [a, x, b, y]) list.add(bio);
      takeOwn(list, rescuer, own);
      expect([[...list], [...own]]).toEqual([
        [x, y],
        [a, b],
      ]);
      for (const bios of [list, own]) while (bios.pop() !== null);
      const lists = task.ownBioLists;
      for (const bio of [a, x]) lists.current.add(bio);
      for (const bio of [b, y]) lists.older.add(bio);
      for (const bio of [a, b, x]) bio.device = stack.disk;
      await rescueBoth.punt(rescuer, lists, task);
      expect([[...lists.current], [...lists.older]]).toEqual([[x], [y]]);
      expect([...rescuer.list]).toEqual([a, b]);
    });
    expect(stack.submitter.submitted).toHaveLength(2);
  });
});

describe("the end of a set with a bio to be rescued (T4.8, row 6)", () => {
  class PoolsFirst extends BioSet {
    override async destroy(...[task]: Parameters<BioSet["destroy"]>): Promise<void> {
      this.destroyPools();
      await this.stopRescuer(task);
    }
  }

  const destroyed = async (create: (options: BioSetOptions) => BioSet): Promise<Stack> => {
    const stack = new Stack("two");
    const set = create(stack.options("S", 1, { needBvecs: true }));
    await stack.scheduler.perform("owner", async (task) => {
      const bio = await set.alloc(GFP_NOIO, 1, task);
      if (bio === null) throw new Error("no bio");
      bio.device = stack.disk;
      bio.endIo = ({ status }) => {
        stack.ended.push(status);
        bio.put();
      };
      const list = new BioList();
      list.add(bio);
      await set.rescuer?.rescue(list, task);
      await set.destroy(task);
    });
    return stack;
  };

  it("submits it first, so that it ends while the pools are there", async () => {
    const stack = await destroyed((options) => new BioSet(options));
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(stack.scheduler.warnings).toEqual([]);
  });

  it("is a use after free when the pools go first (M6)", async () => {
    await expect(destroyed((options) => new PoolsFirst(options))).rejects.toThrow("use after free");
  });
});

describe("an own bio on the older list (T4.9, row 7)", () => {
  const stackOf = (rescue: RescuePolicy): Stack => {
    const stack = new Stack("two");
    const set = stack.set("S", 2, { rescue });
    const inner = stack.splitter("E", set, [stack.disk]);
    stack.memory.faultPlan = allFail;
    stack.write(stack.splitter("D", set, [inner, stack.disk]));
    return stack;
  };

  it("is seen and rescued", async () => {
    const stack = stackOf(rescueBoth);
    await stack.scheduler.run();
    expect(stack.ended).toEqual([BioStatus.Ok]);
    expect(stack.submitter.submitted).toContain("worker of rescue S: writer.D2");
    stack.assertQuiet();
  });

  it("is missed by who looks at the current list only (M7)", async () => {
    expect(await stackOf(rescueCurrent).isDeadlocked()).toBe(true);
  });
});

describe("a second pool per bio (row 8)", () => {
  it("is not rescued by anybody: that deadlock stays", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 2);
    const contexts = stack.set("contexts", 1, { rescuer: false });
    stack.memory.faultPlan = allFail;
    const driver = new TestDevice("D", async (parent, task) => {
      for (let number = 1; number <= 2; number += 1) {
        const context = await contexts.alloc(GFP_NOIO, 0, task);
        const clone = await set.alloc(GFP_NOIO, 0, task);
        if (clone === null) throw new Error("null under a mask that may wait");
        clone.device = stack.disk;
        clone.endIo = (bio) => {
          bio.put();
          context?.put();
          if (number === 2) bioEndio(parent);
        };
        await stack.submitter.submitBio(clone, task);
      }
    });
    stack.write(driver);
    expect(await stack.isDeadlocked()).toBe(true);
    expect(stack.scheduler.sleepers()[0]?.waitingFor?.label).toBe('bio_set "contexts"');
  });
});

describe("any stack of levels with a set each", () => {
  it("gets every bio through, in every order, and loses none", async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const stack = new Stack(seed % 2 === 0 ? "two" : "single", { seed });
      let device = stack.disk;
      for (const name of ["L", "M", "U"]) {
        const vecCount = name === "M" ? 20 : 0;
        const set = stack.set(name, 1, { needBvecs: vecCount > 0 });
        device = stack.splitter(name, set, [device, device], vecCount);
      }
      stack.memory.faultPlan = allFail;
      for (const name of ["A", "B", "C"]) stack.write(device, name);
      await stack.scheduler.run();
      expect(stack.ended).toEqual([BioStatus.Ok, BioStatus.Ok, BioStatus.Ok]);
      expect(stack.scheduler.clock.nowMs()).toBe(1000);
      stack.assertQuiet();
    }
  });
});
