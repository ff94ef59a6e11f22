import { BioStatus } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import type { Expectation, Scenario, World } from "@blkstack/explorer";
import { correctAsync, type StatsAlloc, syncInPath } from "@blkstack/io-group";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { AnonymousPages, GFP_KERNEL, Memory, type SwapDevice, SwapSpace } from "@blkstack/memory";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { GroupDisk } from "../io-groups/group-disk.ts";
import { perGroup } from "../io-groups/per-group-installer.ts";
import { aWrite, Tenant } from "../io-groups/tenant.ts";
import { scenarioOf, type Story } from "../story.ts";
import { inPathWithoutIo, triesAndSpins } from "./wrong-installers.ts";

const PAGES = { totalPages: 5, minPages: 0, lowPages: 0, highPages: 0 };

/** Swaps to a disk, in the name of a group that sends its first bio by that. */
class SwapDisk implements SwapDevice {
  readonly #submitter: MakeRequest;
  readonly #device: BlockDevice;
  /** Who writes for those who reclaim; null: they do so themselves. */
  readonly #flusher: WorkQueue | null;

  constructor({ scheduler }: World, tenant: Tenant, submitter: MakeRequest, writesItself: boolean) {
    const disk = new RamDisk({ name: "sda", sizeSectors: 64, scheduler });
    this.#submitter = submitter;
    this.#device = new GroupDisk(disk, tenant.port, submitter);
    const queue = { scheduler, name: "flusher", reclaimGuaranteed: true };
    this.#flusher = writesItself ? null : new WorkQueue(queue);
  }

  async writeOut(_pages: number, task: Task): Promise<boolean> {
    if (this.#flusher === null) return this.#write(task);
    let isWritten = false;
    const item = new WorkItem("write a page out", async (worker) => {
      isWritten = await this.#write(worker);
    });
    this.#flusher.queue(item);
    await this.#flusher.flush(item, task);
    return isWritten;
  }

  readIn(): boolean {
    return true;
  }

  async #write(task: Task): Promise<boolean> {
    const bio = aWrite();
    bio.device = this.#device;
    return (await submitAndWait(this.#submitter, bio, task)) === BioStatus.Ok;
  }
}

interface Choice {
  readonly statsAlloc: StatsAlloc;
  /** Whether whoever reclaims writes itself; true unless told. */
  readonly writesItself?: boolean;
}

/**
 * A filesystem is mounted, which takes counters of each cpu. No page is free; one becomes free by
 * being written to a disk, as the first bio of a group there.
 */
function mounts(
  expect: Expectation,
  summary: string,
  { statsAlloc, writesItself = true }: Choice,
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const memory = new Memory({ scheduler: world.scheduler, pages: PAGES });
      const submitter = new MakeRequest();
      const tenant = new Tenant(world, { memory, statsAlloc, submitter });
      const device = new SwapDisk(world, tenant, submitter, writesItself);
      memory.swap = new SwapSpace(device, PAGES.totalPages);
      const heap = new AnonymousPages(memory, "heap");
      world.spawn("mount", async (task) => {
        await heap.grow(memory.freePages, GFP_KERNEL, task);
        const counters = await tenant.perCpu.alloc(1, GFP_KERNEL, task);
        if (counters !== null) tenant.perCpu.free(counters);
        await tenant.end(task);
        heap.shrink(heap.residentPages + heap.swappedPages);
        // What slabs keep for reuse is no loss.
        await memory.relieve(PAGES.totalPages, task);
      });
      world.atEnd(() => (memory.freePages === PAGES.totalPages ? [] : ["pages are lost"]));
    },
  };
}

/** Statistics of a group need the allocator that somebody holds who needs the bio of the group. */
export const statsAllocation: Scenario = scenarioOf(
  "stats-allocation",
  "whoever has the per-cpu allocator reclaims by I/O, and that makes a group with statistics",
  {
    "correct-async": mounts("ok", "a worker allocates; the bio goes on without it", {
      statsAlloc: correctAsync,
    }),
    "per-group-work": mounts("ok", "a worker for each group, with a reference, does as well", {
      statsAlloc: perGroup(),
    }),
    "in-path": mounts("DEADLOCK", "M18a: in the path of the bio, as until 2011", {
      statsAlloc: syncInPath,
    }),
    "noio-in-one-caller": mounts(
      "DEADLOCK",
      "M18b: a noio scope around the making of groups keeps nobody else from I/O",
      { statsAlloc: inPathWithoutIo },
    ),
    "waits-for-the-worker": mounts(
      "DEADLOCK",
      "M18c: a worker allocates, and the bio waits until it has",
      { statsAlloc: perGroup({ isWaitedFor: true }) },
    ),
    "flusher-async": mounts("ok", "another task writes for who reclaims, and need not wait", {
      statsAlloc: correctAsync,
      writesItself: false,
    }),
    "flusher-in-path": mounts(
      "DEADLOCK",
      "another task writes for who reclaims, and waits for the allocator",
      { statsAlloc: syncInPath, writesItself: false },
    ),
    "flusher-spins": mounts(
      "LIVELOCK",
      "M19: another task writes, and tries the allocator for ever",
      {
        statsAlloc: triesAndSpins,
        writesItself: false,
      },
    ),
  },
);
