import { Bio, type BioPool } from "@blkstack/bio";
import {
  AccessMode,
  effectiveGfp,
  GFP_KERNEL,
  GFP_NOFS,
  GFP_NOIO,
  type Gfp,
  GfpScopeBit,
  type InterruptSource,
  Mutex,
  RwSemaphore,
  Spinlock,
  type Task,
  type Waitable,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import type { ExploreOptions } from "../explore-options.ts";
import { replay } from "../replay.ts";
import type { Report } from "../report.ts";
import { defineScenario, type Scenario, type World } from "../scenario.ts";
import { preemptions } from "../strategies/bounded.ts";
import type { Potential } from "./potential.ts";

type Build = (world: World) => void;

function scenario(build: Build): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "locks", summary: "a test", variants, build });
}

/** Runs only the schedules in which nobody is interrupted: there all goes well by itself. */
function inPeace(build: Build, options: ExploreOptions = {}): Promise<Report> {
  return explore(scenario(build), "only", { strategy: preemptions(0), ...options });
}

function prove(build: Build): Promise<Report> {
  return explore(scenario(build), "only", { strategy: "dpor" });
}

/** Locks all of them, in this order. */
function locker(world: World, name: string, locks: readonly Mutex[]): void {
  world.spawn(name, async (task) => {
    for (const lock of locks) await lock.lock(task);
    for (const lock of locks) lock.unlock(task);
  });
}

function told({ potentials }: Report): readonly [Potential["status"], string][] {
  return potentials.map(({ status, message }) => [status, message]);
}

const crossing: Build = (world) => {
  const [a, b] = [new Mutex("A"), new Mutex("B")];
  locker(world, "alice", [a, b]);
  locker(world, "bob", [b, a]);
};

describe("two orders of two locks, in runs that go well", () => {
  it("are a deadlock, which a schedule made for it shows", async () => {
    const report = await inPeace(crossing);
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK", decidedBy: "lockdep" });
    expect(report.potentials).toEqual([
      {
        rule: "lock order",
        message: 'mutex "A" then mutex "B" by alice; mutex "B" then mutex "A" by bob',
        places: [
          { actor: "alice", step: 'lock mutex "B"', run: 1 },
          { actor: "bob", step: 'lock mutex "A"', run: 1 },
        ],
        status: "confirmed",
        runs: 1,
        guard: null,
        replayLine: null,
      },
    ]);
    expect(report.story).toContain("knot: alice -> B -> bob -> A -> alice");
    const again = await replay(scenario(crossing), report.replayLine ?? "");
    expect(again).toMatchObject({ isSame: true, report: { kind: "DEADLOCK" } });
  });

  it("are led together however far apart the tasks are by themselves", async () => {
    const report = await inPeace((world) => {
      const [a, b] = [new Mutex("A"), new Mutex("B")];
      world.spawn("alice", async (task) => {
        const own = { object: { label: "her own" }, mode: AccessMode.Write, label: "work" };
        for (let step = 0; step < 40; step += 1) await world.step(task, own);
        await a.lock(task);
        await b.lock(task);
        b.unlock(task);
        a.unlock(task);
      });
      locker(world, "bob", [b, a]);
    });
    expect(report.potentials).toMatchObject([{ status: "confirmed", runs: 1 }]);
  });

  it("are no secret when the search finds the deadlock by itself", async () => {
    const report = await explore(scenario(crossing), "only");
    expect(report).toMatchObject({ verdict: "found", decidedBy: "exhaustive" });
    expect(report.potentials).toMatchObject([{ status: "confirmed", runs: 0 }]);
    expect(report.story).not.toContain("CONFIRMED");
  });

  it("are not looked for when told not to", async () => {
    const report = await inPeace(crossing, { lockdep: false });
    expect(report).toMatchObject({ verdict: "not-found", potentials: [] });
  });

  it("are told with a line of their own when another one is shown", async () => {
    const report = await inPeace((world) => {
      crossing(world);
      const [c, d] = [new Mutex("C"), new Mutex("D")];
      locker(world, "carol", [c, d]);
      locker(world, "dave", [d, c]);
    });
    const lines = report.potentials.map(({ replayLine }) => replayLine);
    expect(told(report).map(([status]) => status)).toEqual(["confirmed", "confirmed"]);
    expect(lines.filter((line) => line !== null)).toHaveLength(1);
    expect(report.story).toMatch(
      /CONFIRMED {2}lock order: .*\n(?: {4}.*\n)* {4}replay: .*locks:only/,
    );
  });

  it("cannot be when one of the tasks starts after the other has ended", async () => {
    const report = await prove((world) => {
      const [a, b] = [new Mutex("A"), new Mutex("B")];
      world.spawn("alice", async (task) => {
        await a.lock(task);
        await b.lock(task);
        b.unlock(task);
        a.unlock(task);
        locker(world, "bob", [b, a]);
      });
    });
    expect(report.verdict).toBe("proved");
    expect(told(report)).toEqual([["unreachable", expect.stringContaining("by alice") as string]]);
    expect(report.story).toContain(
      "POTENTIAL (no schedule of this scenario comes to it)  lock order",
    );
  });

  it("stay unconfirmed when no schedule that was tried comes to it, and do not count as found", async () => {
    const report = await inPeace((world) => {
      const [a, b] = [new Mutex("A"), new Mutex("B")];
      world.spawn("alice", async (task) => {
        for (const [first, second] of [
          [a, b],
          [b, a],
        ] as const) {
          await first.lock(task);
          await second.lock(task);
          second.unlock(task);
          first.unlock(task);
        }
      });
      locker(world, "bob", [new Mutex("C")]);
    });
    expect(report.verdict).toBe("not-found");
    expect(report.potentials).toMatchObject([{ status: "unconfirmed", runs: 64 }]);
    expect(report.story).toContain("POTENTIAL (not confirmed in 64 runs)  lock order");
  });
});

describe("an order of locks", () => {
  it("that all keep to is no potential", async () => {
    const report = await prove((world) => {
      const locks = [new Mutex("A"), new Mutex("B"), new Mutex("C")];
      locker(world, "alice", locks);
      locker(world, "bob", locks.slice(1));
    });
    expect(report).toMatchObject({ verdict: "proved", potentials: [] });
  });

  it("that three tasks close to a circle is a deadlock", async () => {
    const report = await inPeace((world) => {
      const [a, b, c] = [new Mutex("A"), new Mutex("B"), new Mutex("C")];
      locker(world, "alice", [a, b]);
      locker(world, "bob", [b, c]);
      locker(world, "carol", [c, a]);
    });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
    expect(told(report)).toEqual([
      [
        "confirmed",
        'mutex "A" then mutex "B" by alice; mutex "B" then mutex "C" by bob; mutex "C" then mutex "A" by carol',
      ],
    ]);
  });

  it("under a lock that both hold is guarded, by that lock", async () => {
    const report = await inPeace((world) => {
      const [gate, a, b] = [new Mutex("gate"), new Mutex("A"), new Mutex("B")];
      locker(world, "alice", [gate, a, b]);
      locker(world, "bob", [gate, b, a]);
    });
    expect(report.verdict).toBe("not-found");
    expect(report.potentials).toMatchObject([
      { status: "guarded", guard: 'mutex "gate"', runs: 0 },
    ]);
    expect(report.story).toContain('GUARDED (by mutex "gate")  lock order');
  });

  it("is not guarded by what was held only the first time", async () => {
    const report = await inPeace((world) => {
      const [gate, a, b] = [new Mutex("gate"), new Mutex("A"), new Mutex("B")];
      locker(world, "alice", [gate, a, b]);
      locker(world, "bob", [gate, b, a]);
      locker(world, "carol", [a, b]);
    });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
    expect(told(report).map(([status]) => status)).toEqual(["confirmed"]);
  });

  it("is not closed by who only tries, but begins with what was got so", async () => {
    const tries = (first: "a" | "b"): Promise<Report> =>
      inPeace((world) => {
        const [a, b] = [new Mutex("A"), new Mutex("B")];
        locker(world, "alice", [a, b]);
        world.spawn("bob", async (task) => {
          if (first === "a") await b.lock(task);
          else if (!b.tryLock(task)) return;
          if (first === "b") await a.lock(task);
          else if (!a.tryLock(task)) {
            b.unlock(task);
            return;
          }
          a.unlock(task);
          b.unlock(task);
        });
      });
    expect(await tries("a")).toMatchObject({ verdict: "not-found", potentials: [] });
    expect(await tries("b")).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
  });

  it("among readers alone keeps nobody waiting, until there are writers", async () => {
    const readers = (hasWriters: boolean): Promise<Report> =>
      inPeace((world) => {
        const [a, b] = [new RwSemaphore("A"), new RwSemaphore("B")];
        const reader = (name: string, first: RwSemaphore, second: RwSemaphore): void => {
          world.spawn(name, async (task) => {
            await first.readLock(task);
            await second.readLock(task);
            second.readUnlock(task);
            first.readUnlock(task);
          });
        };
        reader("alice", a, b);
        reader("bob", b, a);
        if (!hasWriters) return;
        for (const each of [a, b]) {
          world.spawn(`writer of ${each.label}`, async (task) => {
            await each.writeLock(task);
            each.writeUnlock(task);
          });
        }
      });
    expect((await readers(false)).potentials).toEqual([]);
    expect((await readers(true)).potentials).toMatchObject([{ rule: "lock order" }]);
  });
});

describe("locks of one class", () => {
  const forks =
    (ordered: boolean): Build =>
    (world) => {
      const [one, two] = [new Mutex("fork-1"), new Mutex("fork-2")];
      locker(world, "alice", [one, two]);
      locker(world, "bob", ordered ? [one, two] : [two, one]);
    };

  it("have an order among themselves, by their labels", async () => {
    expect(await prove(forks(true))).toMatchObject({ verdict: "proved", potentials: [] });
    expect(await inPeace(forks(false))).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
  });

  it("share what was learnt of another: a circle through two instances is one of their class", async () => {
    const build =
      (lockClass?: string): Build =>
      (world) => {
        const options = lockClass === undefined ? {} : { lockClass };
        const [inode, other] = [new Mutex("root", options), new Mutex("home", options)];
        const journal = new Mutex("journal");
        locker(world, "alice", [inode, journal]);
        locker(world, "bob", [journal, other]);
      };
    expect((await prove(build())).potentials).toEqual([]);
    const report = await prove(build("inode"));
    expect(told(report)).toEqual([
      [
        "unreachable",
        'mutex "root" then mutex "journal" by alice; mutex "journal" then mutex "home" by bob',
      ],
    ]);
  });

  it("that have one label and are held together have no order that anybody could see", async () => {
    const report = await inPeace((world) => {
      const [one, two] = [new Mutex("inode"), new Mutex("inode")];
      locker(world, "alice", [one, two]);
      locker(world, "bob", [two, one]);
    });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
  });
});

describe("an interrupt", () => {
  const disk = (lock: Spinlock, by: () => Task): InterruptSource => ({
    label: "disk sda",
    blockers: () => [],
    handleInterrupt: () => {
      void lock.lock(by());
      lock.unlock(by());
    },
  });

  it("whose handler takes a spinlock that is held where it is raised spins for real", async () => {
    const build =
      (isHeld: boolean): Build =>
      (world) => {
        const lock = new Spinlock("queue");
        const task = world.spawn("alice", async (own) => {
          await lock.lock(own);
          if (isHeld) own.scheduler.raise(source, null);
          lock.unlock(own);
          if (!isHeld) own.scheduler.raise(source, null);
        });
        const source = disk(lock, () => task);
      };
    expect((await prove(build(false))).potentials).toEqual([]);
    const report = await prove(build(true));
    expect(report.potentials).toMatchObject([
      { rule: "interrupt", status: "unconfirmed", runs: 0 },
    ]);
    expect(report.story).toContain("POTENTIAL (not confirmed: no schedule can show it)  interrupt");
  });
});

describe("reclaim", () => {
  const shrinker = { label: "shrinker of the cache" };

  /** Where there is no memory, frees that of a cache, under the cache's lock. */
  async function allocate(world: World, lock: Mutex, asked: Gfp, task: Task): Promise<void> {
    const gfp = effectiveGfp(asked, task.gfpScope);
    const { lockWatcher } = world.scheduler;
    lockWatcher?.allocates(task, gfp, "pages", null);
    await world.step(task, { object: shrinker, mode: AccessMode.Write, label: "alloc a page" });
    if (world.scheduler.choose("reclaim is needed", 2) === 0) return;
    lockWatcher?.entersReclaim(task, gfp);
    // The cache belongs to a filesystem.
    if ((gfp & ~GFP_NOFS) !== 0) {
      await lock.lock(task);
      lock.unlock(task);
    }
    lockWatcher?.leavesReclaim(task);
  }

  const caching =
    (asked: Gfp, scope: number): Build =>
    (world) => {
      const lock = new Mutex("cache");
      world.spawn("fs", async (task) => {
        await lock.lock(task);
        task.gfpScope = scope;
        await allocate(world, lock, asked, task);
        task.gfpScope = 0;
        lock.unlock(task);
      });
      world.spawn("hog", (task) => allocate(world, lock, GFP_KERNEL, task));
    };

  it("that needs a lock which is held while memory is asked for never ends", async () => {
    const report = await inPeace(caching(GFP_KERNEL, 0), { after: "first" });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
    expect(report.potentials).toMatchObject([{ rule: "reclaim", status: "confirmed" }]);
  });

  it.each([
    ["a mask that keeps out of filesystems", GFP_NOFS, 0],
    ["a mask without I/O", GFP_NOIO, 0],
    ["a noio scope", GFP_KERNEL, GfpScopeBit.NoIo],
    ["a nofs scope", GFP_KERNEL, GfpScopeBit.NoFs],
  ])("is no danger under %s", async (_name, asked, scope) => {
    const report = await prove(caching(asked, scope));
    expect(report).toMatchObject({ verdict: "proved", potentials: [] });
  });

  it("is suspected before any run had to reclaim under the lock", async () => {
    const report = await explore(scenario(caching(GFP_KERNEL, 0)), "only", {
      strategy: preemptions(0),
      executions: 2,
      lockdep: true,
    });
    expect(report.potentials).toMatchObject([{ rule: "reclaim" }]);
  });

  it("that may start I/O is no business of the way down, nor of a lock that is taken there", async () => {
    const build =
      (gfp: Gfp, isUnderLock: boolean): Build =>
      (world) => {
        const lock = new Mutex("map");
        world.spawn("writer", async (task) => {
          task.bioLists = task.ownBioLists;
          if (isUnderLock) await lock.lock(task);
          else world.scheduler.lockWatcher?.allocates(task, gfp, "clones", null);
          if (isUnderLock) lock.unlock(task);
          task.bioLists = null;
        });
        world.spawn("admin", async (task) => {
          await lock.lock(task);
          world.scheduler.lockWatcher?.allocates(task, gfp, "tables", null);
          lock.unlock(task);
        });
      };
    for (const isUnderLock of [false, true]) {
      expect((await prove(build(GFP_NOIO, isUnderLock))).potentials).toEqual([]);
      expect((await prove(build(GFP_NOFS, isUnderLock))).potentials).toMatchObject([
        { rule: "reclaim", status: "unreachable" },
      ]);
    }
  });
});

describe("a parked bio", () => {
  /** One bio, for whoever takes it first. */
  function reserve(world: World): BioPool & Waitable & { take(task: Task): Promise<Bio> } {
    const live: Bio[] = [];
    const pool = {
      label: 'bio_set "S"',
      blockers: () => live,
      release: (bio: Bio) => {
        live.splice(live.indexOf(bio), 1);
      },
      async take(task: Task) {
        world.scheduler.lockWatcher?.allocates(task, GFP_NOIO, pool.label, pool);
        const access = {
          object: pool,
          mode: AccessMode.Acquire,
          label: `alloc from ${pool.label}`,
        };
        await world.step(task, access, () => live.length === 0);
        const bio = new Bio(pool);
        live.push(bio);
        return bio;
      },
    };
    return pool;
  }

  const stacked =
    (isParked: boolean): Build =>
    (world) => {
      const pool = reserve(world);
      const lock = new Mutex("snapshot");
      world.spawn("writer", async (task) => {
        const lists = task.ownBioLists;
        const bio = await pool.take(task);
        task.bioLists = lists;
        if (isParked) lists.current.add(bio);
        else pool.release(bio);
        await lock.lock(task);
        lock.unlock(task);
        if (isParked) lists.current.pop();
        if (isParked) pool.release(bio);
        task.bioLists = null;
      });
      world.spawn("copier", async (task) => {
        await lock.lock(task);
        pool.release(await pool.take(task));
        lock.unlock(task);
      });
    };

  it("is waited for by who holds the lock that its task waits for", async () => {
    const report = await inPeace(stacked(true));
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
    expect(told(report)).toEqual([
      [
        "confirmed",
        expect.stringContaining('bio_set "S" then mutex "snapshot" by writer') as string,
      ],
    ]);
  });

  it("that has ended before is no danger", async () => {
    expect(await prove(stacked(false))).toMatchObject({ verdict: "proved", potentials: [] });
  });
});

describe("work", () => {
  it("that needs a lock, flushed under that lock, is a deadlock waiting for its moment", async () => {
    const report = await inPeace((world) => {
      const lock = new Mutex("cache");
      const queue = new WorkQueue({ scheduler: world.scheduler, name: "writeback" });
      const item = new WorkItem("write back", async (task) => {
        await lock.lock(task);
        lock.unlock(task);
      });
      world.spawn("writer", (task) => {
        queue.queue(item, task);
      });
      world.spawn("umount", async (task) => {
        await lock.lock(task);
        await queue.flush(item, task);
        lock.unlock(task);
      });
    });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK" });
    expect(report.potentials).toMatchObject([{ rule: "lock order", status: "confirmed" }]);
  });
});
