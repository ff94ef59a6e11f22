import { type Bio, bioEndio, BioOp, type Page, PAGE_BYTES, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import {
  assertNothingFound,
  defineScenario,
  explore,
  type Scenario,
  type Variant,
} from "@blkstack/explorer";
import { allFail, choosesFailures, failsAt, type PageAllocator } from "@blkstack/memory";
import { Completion, GFP_NOWAIT, type Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { pattern } from "@blkstack/block/testing";
import { differsAt, regionOf, Setting, whenCopied } from "../test/setting.ts";
import {
  DmIoClient,
  type IoRegion,
  type IoRequest,
  KcopydClient,
  type PageBuffer,
  PageReserve,
  type PageSource,
  vecsOfPages,
} from "./index.ts";

interface Case {
  readonly copies: number;
  readonly piecesEach: number;
  readonly jobReserve: number;
  readonly pages: (pages: PageAllocator) => PageSource;
  /** How many allocations of pages fail, any of them; all of everything, unless told. */
  readonly failures?: number;
  /** One page, unless told. */
  readonly pieceBytes?: number;
}

/** Copies at the same time, with no memory but the reserves. */
function copiesWithoutMemory(cases: Readonly<Record<string, Case & Variant>>): Scenario {
  return defineScenario({
    name: "copies",
    summary: "copies at the same time, with no memory but the reserves",
    variants: cases,
    build(world, variant) {
      const wanted = cases[variant];
      if (wanted === undefined) throw new RangeError(variant);
      const { pieceBytes = PAGE_BYTES } = wanted;
      const setting = new Setting(world.scheduler);
      const client = new KcopydClient({
        name: "k",
        ...setting.parts(),
        subJobBytes: pieceBytes,
        jobReserve: wanted.jobReserve,
        pageSource: wanted.pages(setting.pages),
      });
      setting.memory.faultPlan =
        wanted.failures === undefined
          ? allFail
          : failsAt(["pages"], choosesFailures(world.scheduler, wanted.failures));
      // There are 16 of each, more than are ever under way: who comes first makes no difference.
      for (const reserve of client.io.reserves) world.ignore(reserve);
      const sectors = (wanted.piecesEach * pieceBytes) / SECTOR_BYTES;
      for (let number = 0; number < wanted.copies; number += 1) {
        const name = String(number);
        const from = setting.disk(`from ${name}`);
        const to = setting.disk(`to ${name}`);
        from.poke(0, pattern(sectors, number));
        world.spawn(`copy ${name}`, (task) =>
          copyAndWait(client, regionOf(from, 0, sectors), regionOf(to, 0, sectors), task),
        );
        world.atEnd(() => {
          const at = differsAt(to, 0, pattern(sectors, number));
          return at === -1 ? [] : [`byte ${String(at)} of copy ${name} is wrong`];
        });
      }
    },
  });
}

async function copyAndWait(
  client: KcopydClient,
  source: IoRegion,
  destination: IoRegion,
  task: Task,
): Promise<void> {
  const end = new Completion("end of the copy", {
    scheduler: task.scheduler,
    blockers: () => [client],
  });
  const listener = whenCopied(() => {
    end.complete();
  });
  await client.copy({ source, destinations: [destination] }, listener, task);
  await end.wait(task);
}

/** Wrong on purpose: what comes back goes to memory first, and so is lost when there is none. */
class UnfilledReserve implements PageSource {
  readonly label = "reserve";
  readonly #pages: PageAllocator;
  #kept: Page | null;

  constructor(pages: PageAllocator) {
    this.#pages = pages;
    this.#kept = pages.tryAlloc(GFP_NOWAIT);
  }

  take(_pageCount: number, buffer: PageBuffer): boolean {
    const page = this.#pages.tryAlloc(GFP_NOWAIT) ?? this.#kept;
    if (page === null) return false;
    if (page === this.#kept) this.#kept = null;
    buffer.add(page);
    return true;
  }

  giveBack(buffer: PageBuffer): void {
    this.#pages.free(buffer.pop());
  }

  destroy(): void {
    if (this.#kept !== null) this.#pages.free(this.#kept);
  }
}

const OK = { expect: "ok", summary: "every schedule ends well", piecesEach: 1 } as const;
const onePage = (pages: PageAllocator): PageSource => new PageReserve(pages, 1, "reserve");

describe("copies with no memory, on the pages of one piece", () => {
  const scenario = copiesWithoutMemory({
    two: { ...OK, copies: 2, jobReserve: 2, pages: onePage },
    "some-memory": { ...OK, copies: 2, jobReserve: 2, failures: 1, pages: onePage },
    three: { ...OK, copies: 3, jobReserve: 2, pages: onePage },
    "one-job": { ...OK, copies: 2, jobReserve: 1, pages: onePage },
    long: { ...OK, copies: 2, piecesEach: 2, jobReserve: 2, pages: onePage },
  });

  it.each(["two", "one-job", "long"])("all end, under every schedule (%s)", async (variant) => {
    const report = await explore(scenario, variant, { strategy: "dpor" });
    assertNothingFound(report);
    expect(report.verdict).toBe("proved");
  });

  it.each(["some-memory", "three"])(
    "all end, under 500 schedules of many (%s)",
    async (variant) => {
      const strategy = { strategy: "random", executions: 500 } as const;
      assertNothingFound(await explore(scenario, variant, strategy));
    },
  );
});

describe("copies with no memory stand still", () => {
  const scenario = copiesWithoutMemory({
    small: {
      ...OK,
      expect: "STALL",
      copies: 1,
      pieceBytes: 2 * PAGE_BYTES,
      jobReserve: 2,
      pages: onePage,
    },
    unfilled: {
      ...OK,
      expect: "STALL",
      copies: 2,
      jobReserve: 2,
      pages: (pages) => new UnfilledReserve(pages),
    },
  });

  it("when the reserve is smaller than a piece", async () => {
    const report = await explore(scenario, "small");
    expect(report.kind).toBe("STALL");
    expect(report.story).toContain("copy to to 0 [0..16), waiting for pages");
  });

  it("when the reserve is not filled before memory is", async () => {
    const report = await explore(scenario, "unfilled", { strategy: "dpor", after: "first" });
    expect(report.kind).toBe("STALL");
    expect(report.story).toMatch(/copy to to [01] \[0\.\.8\), waiting for pages/);
  });
});

describe("a listener that begins two copies", () => {
  const scenario = defineScenario({
    name: "two-copies-in-a-listener",
    summary: "a listener has the place of its job, and counts on another one",
    variants: { once: OK, twice: { ...OK, expect: "DEADLOCK" } },
    build(world, variant) {
      const setting = new Setting(world.scheduler);
      const disk = setting.disk("disk");
      const client = setting.client({ subJobBytes: PAGE_BYTES, jobReserve: 1 });
      setting.memory.faultPlan = allFail;
      const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
      const end = new Completion("end of the copies", {
        scheduler: world.scheduler,
        blockers: () => [client],
      });
      const last = whenCopied(() => {
        end.complete();
      });
      const first = whenCopied(async (task) => {
        await client.copy(request, last, task);
        if (variant === "twice") await client.copy(request, last, task);
      });
      world.spawn("alice", async (task) => {
        await client.copy(request, first, task);
        await end.wait(task);
      });
    },
  });

  it("has a job for the first of them", async () => {
    assertNothingFound(await explore(scenario, "once", { strategy: "dpor" }));
  });

  it("waits for itself with the second", async () => {
    const report = await explore(scenario, "twice");
    expect(report.kind).toBe("DEADLOCK");
    expect(report.message).toBe(
      'kcopyd k -> jobs of kcopyd "k" -> copy to disk [8..16), listed -> kcopyd k',
    );
  });
});

describe("a driver that waits for I/O of its own", () => {
  const scenario = defineScenario({
    name: "waiting-inside-a-driver",
    summary: "a driver reads its metadata while it maps a bio",
    variants: {
      refused: { expect: "BUG", summary: "the waiting form says what would happen" },
      "by-hand": { expect: "DEADLOCK", summary: "and this is what it would be" },
    },
    build(world, variant) {
      const setting = new Setting(world.scheduler);
      const disk = setting.disk("metadata");
      const io = new DmIoClient({ name: "metadata", ...setting.parts() });
      const page = { bytes: new Uint8Array(PAGE_BYTES), frame: 0 };
      const request = {
        op: BioOp.Read,
        flags: 0,
        regions: [regionOf(disk, 0, 8)],
        memory: vecsOfPages([page]),
      };
      const driver: BlockDevice = {
        name: "driver",
        sizeSectors: 8,
        isReadOnly: false,
        queue: new RequestQueue("driver", defaultLimits()),
        submitBio: async (bio: Bio, task: Task) => {
          if (variant === "refused") await io.ioAndWait(request, task);
          else await ioByHand(io, request, task);
          bioEndio(bio);
        },
      };
      world.spawn("alice", async (task) => {
        const { scheduler } = task;
        const end = new Completion("end of alice's read", { scheduler, blockers: () => [io] });
        const listener = {
          ioEnded: () => {
            end.complete();
          },
        };
        const regions = [{ device: driver, sector: 0, sectors: 8 }];
        await io.io({ ...request, regions }, listener, task);
        await end.wait(task);
      });
    },
  });

  it("is refused by name", async () => {
    const report = await explore(scenario, "refused");
    expect([report.kind, report.message]).toEqual([
      "BUG",
      "alice: alice would wait for I/O to metadata that it parks itself",
    ]);
  });

  it("by hand is a deadlock: its bio is parked on the task that waits for it", async () => {
    const report = await explore(scenario, "by-hand");
    expect(report.kind).toBe("DEADLOCK");
    expect(report.message).toBe(
      'alice -> completion "end of the metadata" -> request READ metadata [0..8) -> ' +
        "bio#2 READ metadata [0..8) -> alice",
    );
  });
});

async function ioByHand(io: DmIoClient, request: IoRequest, task: Task): Promise<void> {
  const listener = {
    ioEnded: () => {
      end.complete();
    },
  };
  const end = new Completion("end of the metadata", {
    scheduler: task.scheduler,
    blockers: () => io.requestsOf(listener),
  });
  await io.io(request, listener, task);
  await end.wait(task);
}
