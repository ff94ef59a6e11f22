import type { Expectation, Scenario, World } from "@blkstack/explorer";
import { correctAsync, Rcu, StatFamily, StatKind } from "@blkstack/io-group";
import { allFail, GFP_ATOMIC, GFP_KERNEL, Memory, PerCpuAllocator, Slab } from "@blkstack/memory";
import { type Access, AccessMode, Completion, type Task } from "@blkstack/task";
import { scenarioOf, type Story } from "../story.ts";
import { GroupMemory, HeapGroup } from "./heap-group.ts";

interface Choice {
  /** Whether what was unlinked waits for those who look at it; true unless told. */
  readonly hasGracePeriod?: boolean;
  /** Whether a group that goes is taken off the list of those that get statistics; true unless told. */
  readonly cancelsStatistics?: boolean;
}

const LOOK_FURTHER: Access = {
  object: { label: "what was found" },
  mode: AccessMode.Read,
  label: "look further",
};

/** Frees at once what somebody may be looking at. */
class NoGracePeriod extends Rcu {
  override defer(callback: () => void): void {
    callback();
  }
}

/** A disk of one group, and what its memory comes from. */
class Disk {
  readonly groups: Slab<GroupMemory>;
  readonly statsMemory: PerCpuAllocator;
  readonly memory: Memory;
  readonly rcu: Rcu;
  /** Where the group is found; null: it was removed. */
  tenant: HeapGroup | null = null;

  constructor(world: World, hasGracePeriod = true) {
    const { scheduler } = world;
    this.memory = new Memory({ scheduler });
    this.groups = new Slab(this.memory, "groups", () => new GroupMemory());
    this.statsMemory = new PerCpuAllocator({ memory: this.memory, label: "statistics" });
    this.rcu = hasGracePeriod ? new Rcu(scheduler) : new NoGracePeriod(scheduler);
    world.atEnd(() => {
      const left = this.groups.liveCount + this.statsMemory.liveCount;
      if (left === 0) return [];
      return [{ kind: "LEAK", message: `${String(left)} of a group that has gone` }];
    });
  }

  createTenant(): HeapGroup {
    const { rcu, statsMemory } = this;
    const memory = this.groups.tryAlloc(GFP_ATOMIC) ?? new GroupMemory();
    const options = { name: "tenant", parent: null, rcu, statsMemory };
    this.tenant = new HeapGroup(options, memory, this.groups);
    return this.tenant;
  }
}

/**
 * A client that has sent bios closes, while the group is removed, its statistics are about to come,
 * and somebody reads what it has done without a lock.
 */
function goes(expect: Expectation, summary: string, choice: Choice = {}): Story {
  const { hasGracePeriod = true, cancelsStatistics = true } = choice;
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      world.spawn("owner", async (owner) => {
        const disk = new Disk(world, hasGracePeriod);
        const { rcu, statsMemory } = disk;
        const installer = correctAsync({ scheduler: world.scheduler, memory: statsMemory });
        const group = disk.createTenant();
        // The queue of the client.
        group.get();
        await installer.request(group, owner);
        const gone = new Completion("users of the group to go", { scheduler: world.scheduler });
        world.spawn("client", async (task) => {
          await world.step(task, group.putting);
          group.put();
          gone.complete();
        });
        world.spawn("administrator", async (task) => {
          await world.step(task, group.putting);
          if (cancelsStatistics) installer.cancel(group);
          disk.tenant = null;
          group.unlink();
          gone.complete();
        });
        world.spawn("reader", async (task) => {
          await world.step(task, group.finding);
          const phase = rcu.readLock(task);
          const found = disk.tenant;
          await world.step(task, LOOK_FURTHER);
          found?.stats?.get(StatFamily.Ios, StatKind.Read);
          rcu.readUnlock(phase, task);
        });
        await gone.wait(owner);
        await gone.wait(owner);
        await installer.stop(owner);
      });
    },
  };
}

/** Two who count down without minding each other: each reads, and each writes what it has read less one. */
function plainCount(): Story {
  return {
    expect: "LEAK",
    summary: "M23a: references are counted by reading and writing; two puts count as one",
    strategy: "dpor",
    build(world) {
      const disk = new Disk(world);
      const group = disk.createTenant();
      const references = world.cell("references of tenant", 2);
      const reading = references.use(AccessMode.Read, "read");
      const writing = references.use(AccessMode.Write, "write");
      const put = async (task: Task): Promise<void> => {
        await world.step(task, reading);
        const seen = references.value;
        await world.step(task, writing);
        references.value = seen - 1;
        if (references.value === 0) group.unlink();
      };
      world.spawn("client", put);
      world.spawn("administrator", put);
    },
  };
}

/** A disk whose root group, a part of it, cannot have its statistics. */
function rootWithoutStatistics(expect: Expectation, summary: string, isFreed: boolean): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const disk = new Disk(world);
      const root = new GroupMemory();
      disk.memory.faultPlan = allFail;
      world.spawn("owner", async (task) => {
        const stats = await disk.statsMemory.alloc(1, GFP_KERNEL, task);
        if (stats === null && isFreed) disk.groups.free(root);
      });
    },
  };
}

/** Groups of clients go while others still have to do with them. */
export const cfqGroups: Scenario = scenarioOf(
  "cfq-groups",
  "a group is removed while its client closes, its statistics come, and somebody reads them",
  {
    group: goes("ok", "freed once, by whoever is last, when nobody looks at it"),
    "plain-count": plainCount(),
    "no-grace-period": goes("USE_AFTER_FREE", "M23b: freed at once, under the eyes of a reader", {
      hasGracePeriod: false,
    }),
    "not-cancelled": goes(
      "USE_AFTER_FREE",
      "M23c: the work that gets it statistics is not told that it goes",
      {
        cancelsStatistics: false,
      },
    ),
    root: rootWithoutStatistics("ok", "a root without statistics goes with its disk", false),
    "root-freed": rootWithoutStatistics(
      "DOUBLE_FREE",
      "M23d: the root, which is a part of its disk, is given to the allocator of the others",
      true,
    ),
  },
);
