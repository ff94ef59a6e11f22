import { Bio, BioStatus } from "@blkstack/bio";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it, vi } from "vitest";
import { TouchLog } from "../test/touch-log.ts";
import { DeferredBios } from "./deferred-bios.ts";

/** The bios that a device keeps, and below it somebody who notes which come and by whom. */
class Keeping {
  readonly scheduler: VirtualScheduler;
  readonly came: string[] = [];
  readonly deferred: DeferredBios;
  /** What the one below does before it takes a bio. */
  before: (task: Task) => Promise<unknown> | undefined = () => undefined;

  constructor(scheduler = new VirtualScheduler()) {
    this.scheduler = scheduler;
    this.deferred = new DeferredBios("md", scheduler, {
      submitBio: async (bio, task) => {
        await this.before(task);
        this.came.push(`${String(bio.sector)} by ${task.name}`);
      },
    });
  }

  bio(sector: number): Bio {
    const bio = new Bio();
    bio.sector = sector;
    return bio;
  }

  arrive(...sectors: number[]): void {
    for (const sector of sectors) this.deferred.add(this.bio(sector));
  }

  comeBack(...sectors: number[]): void {
    for (const sector of sectors) this.deferred.addPushedBack(this.bio(sector));
  }

  /** Which bios came below since the last time. */
  async cameBelow(): Promise<number[]> {
    await this.scheduler.run();
    return this.came.splice(0).map((line) => Number.parseInt(line, 10));
  }
}

describe("bios that are kept", () => {
  it("go to where they were sent by a worker of the device, soon if nothing holds them", async () => {
    const keeping = new Keeping();
    keeping.arrive(1);
    keeping.comeBack(2);
    await keeping.scheduler.run();
    const worker = "worker of kdmflush/md";
    expect(keeping.came.toSorted()).toEqual([`1 by ${worker}`, `2 by ${worker}`]);
    expect(keeping.deferred.count).toBe(0);
  });

  it("stay while they are held, and go in order then, those first that came back", async () => {
    const keeping = new Keeping();
    const { deferred } = keeping;
    deferred.isHeld = true;
    keeping.arrive(1, 2);
    keeping.comeBack(8, 9);
    expect([await keeping.cameBelow(), deferred.count]).toEqual([[], 4]);
    deferred.isHeld = false;
    deferred.kick();
    expect([await keeping.cameBelow(), deferred.count]).toEqual([[8, 9, 1, 2], 0]);
  });

  it("that only arrived do not wait for those that are being given back", async () => {
    const keeping = new Keeping();
    const { deferred } = keeping;
    deferred.isCollecting = true;
    keeping.comeBack(8);
    keeping.arrive(1);
    expect([await keeping.cameBelow(), deferred.count]).toEqual([[1], 1]);
    deferred.isCollecting = false;
    deferred.kick();
    expect(await keeping.cameBelow()).toEqual([8]);
  });

  it("stay from the moment on in which they are held, also if the worker has begun", async () => {
    const keeping = new Keeping();
    const { deferred, scheduler } = keeping;
    keeping.before = (task) => scheduler.sleep(task, deferred, 100);
    keeping.arrive(1, 2);
    await scheduler.run();
    deferred.isHeld = true;
    await scheduler.advance(100);
    expect([await keeping.cameBelow(), deferred.count]).toEqual([[1], 1]);
  });

  it("fail with an I/O error when the device goes away, and none may come any more", async () => {
    const keeping = new Keeping();
    const { deferred, scheduler } = keeping;
    deferred.isHeld = true;
    const ends: string[] = [];
    for (const sector of [1, 2]) {
      const bio = keeping.bio(sector);
      bio.endIo = () => ends.push(`${String(sector)}: ${String(bio.status)}`);
      if (sector === 1) deferred.add(bio);
      else deferred.addPushedBack(bio);
    }
    await scheduler.perform("remove", (task) => deferred.destroy(task));
    const error = String(BioStatus.IoError);
    expect(ends).toEqual([`2: ${error}`, `1: ${error}`]);
    expect([deferred.count, await keeping.cameBelow()]).toEqual([0, []]);
    deferred.isHeld = false;
    expect(() => {
      keeping.arrive(3);
    }).toThrow('use after free: work item "deferred bios of md"');
  });
});

describe("the worker", () => {
  it.each([
    ["nothing is there", () => undefined],
    ["all is held", (keeping: Keeping) => (keeping.deferred.isHeld = true)],
    [
      "bios are only being given back",
      (keeping: Keeping) => (keeping.deferred.isCollecting = true),
    ],
  ])("is not started when %s", (_, hold) => {
    const keeping = new Keeping();
    const spawn = vi.spyOn(keeping.scheduler, "spawn");
    hold(keeping);
    if (keeping.deferred.isHeld) keeping.arrive(1);
    if (keeping.deferred.isHeld || keeping.deferred.isCollecting) keeping.comeBack(2);
    keeping.deferred.kick();
    expect(spawn).not.toHaveBeenCalled();
  });

  it("is waited for by whoever needs it to be done", async () => {
    const keeping = new Keeping();
    const { deferred, scheduler } = keeping;
    keeping.before = (task) => scheduler.sleep(task, deferred, 100);
    keeping.arrive(1);
    await scheduler.run();
    const waiter = scheduler.spawn("suspend", async (task) => {
      await deferred.drain(task);
      keeping.came.push("drained");
    });
    await scheduler.run();
    expect(waiter.waitingFor?.label).toBe('work item "deferred bios of md"');
    await scheduler.advance(100);
    expect(keeping.came).toEqual(["1 by worker of kdmflush/md", "drained"]);
  });

  it("is one that bios depend on: it must not wait for others that may find no worker", async () => {
    const keeping = new Keeping();
    const { scheduler } = keeping;
    const plain = new WorkQueue({ scheduler, name: "plain" });
    const item = new WorkItem("tidy", () => undefined);
    keeping.before = async (task) => plain.flush(item, task);
    keeping.arrive(1);
    await scheduler.run();
    expect(scheduler.warnings).toEqual([expect.stringContaining("worker of kdmflush/md, which")]);
  });
});

it("a story tells whose bios these are, and who adds and takes", async () => {
  const scheduler = new TouchLog();
  const { deferred, ...keeping } = new Keeping(scheduler);
  expect([deferred.label, deferred.blockers()]).toEqual(["deferred bios of md", []]);
  const defer = "Write deferred bios of md: defer in md";
  const ofDeferred = (): string[] => scheduler.take().filter((touch) => touch === defer);
  deferred.isHeld = true;
  deferred.add(new Bio());
  expect(ofDeferred()).toEqual([defer]);
  deferred.addPushedBack(new Bio());
  expect(ofDeferred()).toEqual([defer]);
  deferred.isHeld = false;
  deferred.kick();
  await scheduler.run();
  expect(keeping.came).toHaveLength(2);
  // One for each, and one to see that there are no more.
  expect(ofDeferred()).toEqual([defer, defer, defer]);
});
