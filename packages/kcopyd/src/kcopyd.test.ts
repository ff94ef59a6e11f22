import { BioOp, BioStatus, InvariantError, PAGE_BYTES } from "@blkstack/bio";
import { failSectors } from "@blkstack/disk-ram";
import { allFail, failsAt } from "@blkstack/memory";
import type { Waitable } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { pattern } from "@blkstack/block/testing";
import { differsAt, Outcomes, regionOf, Setting, Watching, whenCopied } from "../test/setting.ts";
import { CopyFlag, PageReserve } from "./index.ts";

const SUB_JOB_SECTORS = 1024;
const RESERVE_PAGES = 128;

let scheduler: VirtualScheduler;
let setting: Setting;
let outcomes: Outcomes;

function queued(): void {
  scheduler = new VirtualScheduler({ interrupts: "queued" });
  setting = new Setting(scheduler);
}

beforeEach(() => {
  scheduler = new VirtualScheduler();
  setting = new Setting(scheduler);
  outcomes = new Outcomes();
});

describe("a copy", () => {
  it("moves its range and nothing else, and tells so once", async () => {
    const from = setting.disk("from");
    const to = setting.disk("to");
    from.poke(0, pattern(100));
    to.poke(0, pattern(100, 77));
    const client = setting.client();
    await scheduler.perform("t", (task) =>
      client.copy(
        { source: regionOf(from, 10, 40), destinations: [regionOf(to, 20, 40)] },
        outcomes,
        task,
      ),
    );
    expect(outcomes.all).toEqual([[0, 0]]);
    const expected = pattern(100, 77);
    expected.set(pattern(100).subarray(10 * 512, 50 * 512), 20 * 512);
    expect(differsAt(to, 0, expected)).toBe(-1);
    expect(differsAt(from, 0, pattern(100))).toBe(-1);
  });

  it("of 3000 sectors goes in pieces of 1024, 1024 and 952", async () => {
    const seen = new Watching();
    const from = setting.disk("from", { faults: seen });
    const to = setting.disk("to");
    from.poke(0, pattern(3000));
    await scheduler.perform("t", (task) =>
      setting
        .client()
        .copy(
          { source: regionOf(from, 0, 3000), destinations: [regionOf(to, 0, 3000)] },
          outcomes,
          task,
        ),
    );
    expect(seen.seen).toEqual(["READ [0..1024)", "READ [1024..2048)", "READ [2048..3000)"]);
    expect(outcomes.all).toEqual([[0, 0]]);
    expect(differsAt(to, 0, pattern(3000))).toBe(-1);
  });

  it("longer than its sub-jobs reach has each of them claim the next piece", async () => {
    const from = setting.disk("from");
    const to = setting.disk("to");
    from.poke(0, pattern(100));
    const client = setting.client({ subJobBytes: 4096 });
    await scheduler.perform("t", (task) =>
      client.copy(
        { source: regionOf(from, 0, 100), destinations: [regionOf(to, 3, 100)] },
        outcomes,
        task,
      ),
    );
    expect(outcomes.all).toEqual([[0, 0]]);
    expect(differsAt(to, 3, pattern(100))).toBe(-1);
  });

  it("of no sectors only tells that it has ended", async () => {
    const from = setting.disk("from");
    await scheduler.perform("t", (task) =>
      setting
        .client()
        .copy(
          { source: regionOf(from, 5, 0), destinations: [regionOf(from, 9, 0)] },
          outcomes,
          task,
        ),
    );
    expect(outcomes.all).toEqual([[0, 0]]);
  });

  it("never writes a piece before it was read", async () => {
    queued();
    const seen = new Watching();
    const from = setting.disk("from", { faults: seen });
    const to = setting.disk("to", { faults: seen });
    const request = { source: regionOf(from, 0, 8), destinations: [regionOf(to, 8, 8)] };
    const client = setting.client();
    scheduler.spawn("t", (task) => client.copy(request, outcomes, task));
    await scheduler.runTasks();
    expect(seen.seen).toEqual(["READ [0..8)"]);
    scheduler.completeInterrupt(0);
    await scheduler.runTasks();
    expect(seen.seen).toEqual(["READ [0..8)", "WRITE [8..16)"]);
    expect(outcomes.all).toEqual([]);
    scheduler.completeInterrupt(0);
    await scheduler.runTasks();
    expect(outcomes.all).toEqual([[0, 0]]);
  });

  it("to devices that take little at a time is cut for each of them", async () => {
    const from = setting.disk("from", { limits: { maxSectors: 64 } });
    const to = setting.disk("to", { limits: { maxSegments: 2 } });
    from.poke(0, pattern(500));
    await scheduler.perform("t", (task) =>
      setting
        .client()
        .copy(
          { source: regionOf(from, 0, 500), destinations: [regionOf(to, 0, 500)] },
          outcomes,
          task,
        ),
    );
    expect(outcomes.all).toEqual([[0, 0]]);
    expect(differsAt(to, 0, pattern(500))).toBe(-1);
  });
});

describe("an error", () => {
  it("of the source leaves its piece unwritten, and is told when the other pieces have ended", async () => {
    queued();
    const from = setting.disk("from", {
      faults: failSectors({ startSector: 1500, sizeSectors: 1, status: BioStatus.Medium }),
    });
    const to = setting.disk("to");
    from.poke(0, pattern(3000));
    to.poke(1024, pattern(1024, 99));
    const request = { source: regionOf(from, 0, 3000), destinations: [regionOf(to, 0, 3000)] };
    const client = setting.client();
    scheduler.spawn("t", (task) => client.copy(request, outcomes, task));
    await scheduler.runTasks();
    expect(scheduler.pendingInterrupts).toHaveLength(3);
    scheduler.completeInterrupt(1);
    await scheduler.runTasks();
    expect(outcomes.all).toEqual([]);
    await scheduler.run();
    expect(outcomes.all).toEqual([[1, 0]]);
    expect(differsAt(to, 1024, pattern(1024, 99))).toBe(-1);
    expect(client.jobs).toBe(0);
  });

  it("keeps the sub-jobs from claiming more", async () => {
    const seen = new Watching();
    const from = setting.disk("from", {
      faults: failSectors({ ...RANGE_FAULT, ops: [BioOp.Read] }),
    });
    const to = setting.disk("to", { faults: seen });
    const client = setting.client({ subJobBytes: 4096 });
    await scheduler.perform("t", (task) =>
      client.copy(
        { source: regionOf(from, 0, 800), destinations: [regionOf(to, 0, 800)] },
        outcomes,
        task,
      ),
    );
    expect(outcomes.all).toEqual([[1, 0]]);
    expect(seen.seen).toHaveLength(7);
  });

  it("of one of two destinations is told by its bit, and the other one has the data", async () => {
    const from = setting.disk("from");
    const good = setting.disk("good");
    const bad = setting.disk("bad", { faults: failSectors(RANGE_FAULT) });
    from.poke(0, pattern(8));
    await scheduler.perform("t", (task) =>
      setting.client().copy(
        {
          source: regionOf(from, 0, 8),
          destinations: [regionOf(good, 0, 8), regionOf(bad, 0, 8)],
        },
        outcomes,
        task,
      ),
    );
    expect(outcomes.all).toEqual([[0, 0b10]]);
    expect(differsAt(good, 0, pattern(8))).toBe(-1);
  });

  it("may be ignored: what could not be read is zeroes, and all the rest is copied", async () => {
    const from = setting.disk("from", { faults: failSectors(RANGE_FAULT) });
    const to = setting.disk("to");
    from.poke(0, pattern(32));
    to.poke(0, pattern(32, 99));
    const client = setting.client({ subJobBytes: 4096 });
    await scheduler.perform("t", (task) =>
      client.copy(
        {
          source: regionOf(from, 0, 32),
          destinations: [regionOf(to, 0, 32)],
          flags: CopyFlag.IgnoreError,
        },
        outcomes,
        task,
      ),
    );
    const expected = pattern(32);
    expected.fill(0, 0, 8 * 512);
    expect(differsAt(to, 0, expected)).toBe(-1);
    expect(outcomes.all).toEqual([[1, 0]]);
  });
});

const RANGE_FAULT = { startSector: 0, sizeSectors: 1, status: BioStatus.IoError };

describe("a copy in order", () => {
  it("writes from the beginning to the end, however the reads come in", async () => {
    queued();
    const seen = new Watching();
    const from = setting.disk("from");
    const to = setting.disk("to", { faults: seen });
    from.poke(0, pattern(24));
    const request = {
      source: regionOf(from, 0, 24),
      destinations: [regionOf(to, 0, 24)],
      flags: CopyFlag.WriteSeq,
    };
    const client = setting.client({ subJobBytes: 4096 });
    scheduler.spawn("t", (task) => client.copy(request, outcomes, task));
    await scheduler.runTasks();
    for (const last of [2, 1]) {
      scheduler.completeInterrupt(last);
      await scheduler.runTasks();
      expect(seen.seen).toEqual([]);
    }
    await scheduler.run();
    expect(seen.seen).toEqual(["WRITE [0..8)", "WRITE [8..16)", "WRITE [16..24)"]);
    expect(outcomes.all).toEqual([[0, 0]]);
  });

  it("comes to its end when a piece in the middle cannot be read", async () => {
    const seen = new Watching();
    const fault = { startSector: 8, sizeSectors: 1, status: BioStatus.Medium };
    const from = setting.disk("from", { faults: failSectors(fault) });
    const to = setting.disk("to", { faults: seen });
    const request = {
      source: regionOf(from, 0, 80),
      destinations: [regionOf(to, 0, 80)],
      flags: CopyFlag.WriteSeq,
    };
    const client = setting.client({ subJobBytes: 4096 });
    await scheduler.perform("t", (task) => client.copy(request, outcomes, task));
    expect(outcomes.all).toEqual([[1, 0]]);
    expect(seen.seen).toEqual(["WRITE [0..8)"]);
    await scheduler.perform("end", (task) => client.destroy(task));
  });
});

describe("zeroing", () => {
  it.each([
    { can: true, op: "9 [10..1510)", count: 1 },
    { can: false, op: "WRITE [10..1034)", count: 2 },
  ])("is the device's business if it can ($can)", async ({ can, op, count }) => {
    const seen = new Watching();
    const limits = can ? {} : { maxWriteZeroesSectors: 0 };
    const to = setting.disk("to", { faults: seen, limits });
    to.poke(0, pattern(2000));
    const client = setting.client();
    const before = setting.pages.usedPages;
    await scheduler.perform("t", (task) =>
      client.zero({ destinations: [regionOf(to, 10, 1500)] }, outcomes, task),
    );
    const expected = pattern(2000);
    expected.fill(0, 10 * 512, 1510 * 512);
    expect(differsAt(to, 0, expected)).toBe(-1);
    expect([seen.seen[0], seen.seen.length]).toEqual([op, count]);
    expect(outcomes.all).toEqual([[0, 0]]);
    expect(setting.pages.counters.allocations).toBe(before);
  });
});

describe("with no memory", () => {
  it("five long copies finish on the pages of one piece", async () => {
    const reserve = new PageReserve(setting.pages, RESERVE_PAGES, "reserve");
    const client = setting.client({ pageSource: reserve });
    const from = setting.disk("from", { sizeSectors: 16_384 });
    const to = setting.disk("to", { sizeSectors: 16_384 });
    from.poke(0, pattern(10_240));
    setting.memory.faultPlan = allFail;
    for (let number = 0; number < 5; number += 1) {
      scheduler.spawn(`t${String(number)}`, (task) => {
        const at = number * 2 * SUB_JOB_SECTORS;
        const length = 2 * SUB_JOB_SECTORS;
        return client.copy(
          { source: regionOf(from, at, length), destinations: [regionOf(to, at, length)] },
          outcomes,
          task,
        );
      });
    }
    await scheduler.run();
    expect(outcomes.all).toEqual(Array.from({ length: 5 }, () => [0, 0]));
    expect(differsAt(to, 0, pattern(10_240))).toBe(-1);
    expect([reserve.peakPages, reserve.freePages]).toEqual([RESERVE_PAGES, RESERVE_PAGES]);
    expect(client.freeJobs).toBe(8);
  });

  it("more copies than there are jobs in reserve wait for one to end", async () => {
    queued();
    const client = setting.client({ jobReserve: 1 });
    const disk = setting.disk("disk");
    setting.memory.faultPlan = allFail;
    const tasks = [0, 1].map((number) =>
      scheduler.spawn(`t${String(number)}`, (task) =>
        client.copy(
          {
            source: regionOf(disk, number * 8, 8),
            destinations: [regionOf(disk, 100 + number * 8, 8)],
          },
          outcomes,
          task,
        ),
      ),
    );
    await scheduler.runTasks();
    const waitsFor = tasks[1]?.waitingFor;
    expect(waitsFor?.label).toBe('jobs of kcopyd "k"');
    const [job] = waitsFor?.blockers() ?? [];
    expect(job).toMatchObject({ label: "copy to disk [100..108), in flight" });
    await scheduler.run();
    expect(outcomes.all).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(scheduler.clock.nowMs()).toBe(1000);
  });

  it("a job says whom it waits for: those who hold the pages, and they for their bios", async () => {
    queued();
    const client = setting.client({ subJobBytes: PAGE_BYTES });
    const disk = setting.disk("disk");
    const destinations = [regionOf(disk, 8, 8)];
    setting.memory.faultPlan = allFail;
    scheduler.spawn("t", async (task) => {
      await client.copy({ source: regionOf(disk, 0, 8), destinations }, outcomes, task);
      await client.copy({ source: regionOf(disk, 0, 8), destinations }, outcomes, task);
    });
    await scheduler.runTasks();
    const [first, second] = client.blockers();
    const [reserve] = blockersOf(second);
    expect(reserve).toMatchObject({ label: 'page reserve of kcopyd "k"' });
    expect(blockersOf(reserve)).toEqual([first]);
    const [request] = blockersOf(first);
    expect(request).toMatchObject({ label: "request READ disk [0..8)" });
    expect(blockersOf(request)).toEqual(scheduler.pendingInterrupts.map(({ work }) => work));
  });

  it("a client without its reserve is refused, and leaves nothing behind", () => {
    setting.memory.faultPlan = failsAt(["pages"]);
    expect(() => setting.client()).toThrow(/page reserve of kcopyd "k": there are no 128/);
    setting.memory.faultPlan = allFail;
    expect(() => setting.client()).toThrow(/no memory for the reserve of jobs of kcopyd "k"/);
    expect(setting.pages.usedPages).toBe(0);
  });
});

describe("a listener", () => {
  it("may begin another copy, and is not called inside itself", async () => {
    const client = setting.client({ jobReserve: 1 });
    const disk = setting.disk("disk");
    disk.poke(0, pattern(8));
    let depth = 0;
    let left = 50;
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    const listener = whenCopied(async (task) => {
      expect(depth).toBe(0);
      depth += 1;
      left -= 1;
      if (left > 0) await client.copy(request, listener, task);
      depth -= 1;
    });
    setting.memory.faultPlan = allFail;
    await scheduler.perform("t", (task) => client.copy(request, listener, task));
    expect(left).toBe(0);
    expect(client.jobs).toBe(0);
  });

  it("finds the place of its job even after it has waited, whoever else wants one", async () => {
    const client = setting.client({ jobReserve: 1 });
    const disk = setting.disk("disk");
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    const listener = whenCopied(async (task) => {
      await scheduler.sleep(task, client, 10);
      await client.copy(request, outcomes, task);
    });
    setting.memory.faultPlan = allFail;
    scheduler.spawn("first", (task) => client.copy(request, listener, task));
    scheduler.spawn("second", (task) => client.copy(request, outcomes, task));
    await scheduler.advance(100);
    expect(outcomes.all).toHaveLength(2);
  });

  it("that waits keeps the next one waiting", async () => {
    const client = setting.client();
    const disk = setting.disk("disk");
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    const story: string[] = [];
    const listener = whenCopied(async (task) => {
      story.push("called");
      await scheduler.sleep(task, client, 10);
      story.push("returns");
    });
    await scheduler.perform("t", async (task) => {
      await client.copy(request, listener, task);
      await client.copy(request, listener, task);
    });
    await scheduler.advance(100);
    expect(story).toEqual(["called", "returns", "called", "returns"]);
  });

  it("is not woken by what the worker is to do next", async () => {
    queued();
    const client = setting.client();
    const disk = setting.disk("disk");
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    const sleptMs: number[] = [];
    const listener = whenCopied(async (task) => {
      const beganMs = scheduler.clock.nowMs();
      await scheduler.sleep(task, client, 10);
      sleptMs.push(scheduler.clock.nowMs() - beganMs);
    });
    scheduler.spawn("t", async (task) => {
      const prepared = await client.prepareCallback(listener, task);
      client.doCallback(prepared, 0, 0);
      await scheduler.sleep(task, client, 5);
      await client.copy(request, outcomes, task);
    });
    await scheduler.advance(100);
    expect(sleptMs).toEqual([10]);
    expect(outcomes.all).toEqual([[0, 0]]);
  });

  it("must not destroy its client", async () => {
    const client = setting.client();
    const disk = setting.disk("disk");
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    let error: unknown = null;
    const listener = whenCopied((task) => {
      try {
        void client.destroy(task);
      } catch (thrown) {
        error = thrown;
      }
    });
    await scheduler.perform("t", (task) => client.copy(request, listener, task));
    expect(error).toBeInstanceOf(InvariantError);
  });
});

describe("a prepared callback", () => {
  it("waits for whoever its listener says", async () => {
    const bio = { label: "the bio that fills a chunk" };
    const listener = { copyEnded: () => undefined, blockers: () => [bio] };
    const client = setting.client();
    const prepared = await scheduler.perform("t", (task) => client.prepareCallback(listener, task));
    expect(client.blockers()).toEqual([prepared]);
    expect(prepared.blockers()).toEqual([bio]);
  });

  it("is called by the worker, with the errors that an interrupt found", async () => {
    const client = setting.client();
    const prepared = await scheduler.perform("t", (task) => client.prepareCallback(outcomes, task));
    await scheduler.run();
    expect(outcomes.all).toEqual([]);
    const source = {
      label: "somebody's disk",
      blockers: () => [],
      handleInterrupt: () => {
        client.doCallback(prepared, 0, 1);
      },
    };
    scheduler.raise(source, null);
    expect(outcomes.all).toEqual([]);
    await scheduler.run();
    expect(outcomes.all).toEqual([[0, 1]]);
    expect(() => {
      client.doCallback(prepared, 0, 0);
    }).toThrow(InvariantError);
  });
});

describe("the end of a client", () => {
  it("comes when the last listener has returned, and gives everything back", async () => {
    queued();
    const before = setting.pages.usedPages;
    const client = setting.client();
    const disk = setting.disk("disk");
    const request = { source: regionOf(disk, 0, 8), destinations: [regionOf(disk, 8, 8)] };
    const story: string[] = [];
    scheduler.spawn("t", async (task) => {
      await client.copy(
        request,
        whenCopied(() => void story.push("copied")),
        task,
      );
      await client.destroy(task);
      story.push("destroyed");
    });
    await scheduler.runTasks();
    expect(story).toEqual([]);
    await scheduler.run();
    expect(story).toEqual(["copied", "destroyed"]);
    expect(setting.pages.usedPages).toBe(before);
    expect(scheduler.sleepers()).toEqual([]);
  });
});

describe("what does not fit", () => {
  it("is refused before anything is begun", async () => {
    expect(() => setting.client({ subJobBytes: 1000 })).toThrow(/subJobBytes is 1000/);
    expect(() => setting.client({ throttlePercent: 0 })).toThrow(/give 1 to 100/);
    const client = setting.client();
    const disk = setting.disk("disk");
    await scheduler.perform("t", (task) => {
      const source = regionOf(disk, 0, 8);
      const nine = Array.from({ length: 9 }, () => source);
      for (const destinations of [[], nine, [regionOf(disk, 8, 9)]]) {
        expect(() => client.copy({ source, destinations }, outcomes, task)).toThrow(InvariantError);
      }
    });
    expect(client.jobs).toBe(0);
  });
});

function blockersOf(thing: object | undefined): readonly object[] {
  return (thing as Waitable).blockers();
}
