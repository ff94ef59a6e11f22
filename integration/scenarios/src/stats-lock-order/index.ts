import { RamDisk } from "@blkstack/disk-ram";
import type { Scenario } from "@blkstack/explorer";
import { correctAsync, type StatsAlloc, syncInPath } from "@blkstack/io-group";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory, type MemoryOptions, PerCpuAllocator } from "@blkstack/memory";
import { GFP_KERNEL, GFP_NOFS, GFP_NOWAIT, GfpBit } from "@blkstack/task";
import { GroupDisk } from "../io-groups/group-disk.ts";
import { aWrite, Tenant } from "../io-groups/tenant.ts";
import { inPathWithoutIo } from "../stats-allocation/wrong-installers.ts";
import { scenarioOf, type Story } from "../story.ts";

const PAGES = { totalPages: 4, minPages: 0, lowPages: 0, highPages: 0 };

/** How a system gets its memory: as they all do, unless a test has it tell something else. */
export type MakeMemory = (options: MemoryOptions) => Memory;

const usual: MakeMemory = (options) => new Memory(options);

/** One bio of a new group. There is more memory than anybody wants, so that nobody reclaims any. */
export function firstBio(
  summary: string,
  statsAlloc: StatsAlloc,
  makeMemory: MakeMemory = usual,
): Story {
  return {
    expect: "ok",
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const submitter = new MakeRequest();
      const tenant = new Tenant(world, {
        memory: makeMemory({ scheduler }),
        statsAlloc,
        submitter,
      });
      const disk = new RamDisk({ name: "sda", sizeSectors: 64, scheduler });
      world.spawn("writer", async (task) => {
        const bio = aWrite();
        bio.device = new GroupDisk(disk, tenant.port, submitter);
        await submitAndWait(submitter, bio, task);
        await tenant.end(task);
      });
    },
  };
}

/** A filesystem gives its inodes back, and uses the allocator for that; one task asks it, one must not. */
export function shrinks(summary: string, makeMemory: MakeMemory = usual): Story {
  return {
    expect: "ok",
    summary,
    strategy: "dpor",
    build(world) {
      const memory = makeMemory({ scheduler: world.scheduler, pages: PAGES });
      const perCpu = new PerCpuAllocator({ memory });
      registerInodes(memory, perCpu);
      world.spawn("mount", async (task) => {
        const block = await perCpu.alloc(1, GFP_NOFS, task);
        if (block !== null) perCpu.free(block);
        await memory.takePages(PAGES.totalPages, GFP_KERNEL, task, "heap");
        memory.givePages(PAGES.totalPages, task);
      });
    },
  };
}

function registerInodes(memory: Memory, perCpu: PerCpuAllocator): void {
  let pages = 1;
  memory.tryTakePages(pages, GFP_NOWAIT, "inodes");
  memory.shrinkers.register({
    label: "inodes",
    count: (gfp) => ((gfp & GfpBit.Fs) === 0 ? 0 : pages),
    async scan(amount, _gfp, task) {
      pages -= amount;
      memory.givePages(amount);
      const block = await perCpu.alloc(1, GFP_NOWAIT, task);
      if (block !== null) perCpu.free(block);
      return amount;
    },
  });
}

/** Nothing fails here, whatever the schedule; whoever watches locks and masks knows what could. */
export const statsLockOrder: Scenario = scenarioOf(
  "stats-lock-order",
  "the allocator is held over an allocation, and is taken where memory comes from; there is enough",
  {
    "in-path": firstBio("suspected: a bio takes what is held while I/O may be needed", syncInPath),
    "correct-async": firstBio("not suspected: no bio takes it", correctAsync),
    "noio-scope": firstBio("not suspected: held where no I/O may be started", inPathWithoutIo),
    nofs: shrinks("not suspected: held where no filesystem may be entered, and taken in one"),
  },
);
