import { BioOp, BioStatus } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import { allFail, failsAt, noneFails } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { bioTo, Setting } from "../test/setting.ts";
import { TimedDisk } from "../test/timed-disk.ts";
import type { CfqQueue } from "./index.ts";

interface Stage extends Setting {
  readonly scheduler: VirtualScheduler;
}

function stage(): Stage {
  return new Setting(new VirtualScheduler()) as Stage;
}

function ramDisk({ scheduler }: Setting): RamDisk {
  return new RamDisk({ name: "ram0", sizeSectors: 64, scheduler });
}

/** A queue over a disk in memory, for as long as `body` takes. */
function withQueue<T>(
  setting: Stage,
  body: (queue: CfqQueue, task: Task, disk: RamDisk) => Promise<T>,
): Promise<T> {
  return setting.scheduler.perform("test", async (task) => {
    const disk = ramDisk(setting);
    // No time passes here, so nobody is waited for.
    const queue = await setting.createQueue(disk, task, { idleTicks: 0 });
    const answer = await body(queue, task, disk);
    await queue.destroy(task);
    expect(setting.statsMemory.liveCount).toBe(0);
    return answer;
  });
}

describe("a bio that need not wait", () => {
  it("is at the disk and back before the call returns, with its data", () =>
    withQueue(stage(), async (queue, task, disk) => {
      const setting = queueSetting(task);
      const client = queue.openClient({ name: "c", group: "g" });
      const bio = bioTo(client, BioOp.Write);
      bio.vecs[0]?.page.bytes.fill(7);
      let ends = 0;
      bio.endIo = () => {
        ends += 1;
      };
      expect(setting.submitter.submitBio(bio, task)).toBeUndefined();
      expect(ends).toBe(1);
      expect(bio.device).toBe(client);
      const bytes = new Uint8Array(1);
      disk.peek(0, bytes);
      expect(bytes[0]).toBe(7);
      await Promise.resolve();
    }));

  it("ends as the disk says", () =>
    withQueue(stage(), async (queue, task, disk) => {
      disk.faults = { statusOf: () => BioStatus.Medium };
      const client = queue.openClient({ name: "c" });
      expect(await queueSetting(task).io(client, task)).toBe(BioStatus.Medium);
    }));
});

/** Only the way down is used of it. */
function queueSetting({ scheduler }: Task): Setting {
  return new Setting(scheduler);
}

describe("a group for which there is no memory", () => {
  it("is done without: its bio goes as the root's, and the next one asks again", () => {
    const setting = stage();
    return withQueue(setting, async (queue, task) => {
      setting.memory.faultPlan = failsAt(["groups of disk"]);
      const client = queue.openClient({ name: "c", group: "g" });
      expect(await setting.io(client, task)).toBe(BioStatus.Ok);
      expect([...queue.groups]).toEqual(["/"]);
      expect(queue.statisticsOf("/", task)?.serviced).toBe(1);
      setting.memory.faultPlan = noneFails;
      expect(await setting.io(client, task)).toBe(BioStatus.Ok);
      expect([...queue.groups]).toEqual(["/", "g"]);
      expect(queue.statisticsOf("/", task)?.serviced).toBe(1);
    });
  });
});

describe("the statistics of a group", () => {
  it("count from their installation on, which waits for memory and not for anybody", async () => {
    const setting = stage();
    const { scheduler } = setting;
    const parts = await scheduler.perform("setup", async (task) => {
      const queue = await setting.createQueue(ramDisk(setting), task);
      return { queue, client: queue.openClient({ name: "c", group: "g" }) };
    });
    const { queue, client } = parts;
    const send = (count: number): Promise<unknown> =>
      scheduler.perform("send", async (task) => {
        for (let number = 0; number < count; number += 1) await setting.io(client, task);
      });
    setting.memory.faultPlan = failsAt(["statistics"]);
    await send(3);
    await scheduler.advance(100);
    const before = await scheduler.perform("look", (task) => queue.statisticsOf("g", task));
    expect(before).toMatchObject({ serviced: 0, sectors: 0, weight: 500 });
    setting.memory.faultPlan = noneFails;
    await scheduler.advance(10);
    await send(4);
    const after = await scheduler.perform("look", (task) => queue.statisticsOf("g", task));
    expect(after).toMatchObject({ serviced: 4, sectors: 32, queued: 0 });
  });

  it("of a group that was removed before they came are never taken, or given back once", async () => {
    const setting = stage();
    await withQueue(setting, async (queue, task) => {
      setting.memory.faultPlan = failsAt(["statistics"]);
      const client = queue.openClient({ name: "c", group: "g" });
      await setting.io(client, task);
      expect(queue.removeGroup("g")).toBe(true);
      expect(queue.removeGroup("g")).toBe(false);
      expect(queue.statisticsOf("g", task)).toBeNull();
      setting.memory.faultPlan = noneFails;
      // The client keeps its group, and another one may have the name.
      expect(await setting.io(client, task)).toBe(BioStatus.Ok);
      const other = queue.openClient({ name: "d", group: "g" });
      await setting.io(other, task);
      await client.close(task);
      expect([...queue.groups]).toEqual(["/", "g"]);
    });
  });
});

it("a queue without memory for the statistics of its root is refused, and nothing is given back", () => {
  const setting = stage();
  setting.memory.faultPlan = allFail;
  return setting.scheduler.perform("create", async (task) => {
    await expect(setting.createQueue(ramDisk(setting), task)).rejects.toMatchObject({
      errno: "ENOMEM",
    });
    expect(setting.statsMemory.liveCount).toBe(0);
  });
});

it.each([9, 1001, 10.5, NaN])("a weight of %d is refused with EINVAL", (weight) =>
  withQueue(stage(), (queue) => {
    expect(() => {
      queue.setWeight("g", weight);
    }).toThrow(/group "g".*from 10 to 1000/);
    return Promise.resolve();
  }),
);

it("a weight is remembered for a group that is not there yet, until it is removed", () =>
  withQueue(stage(), async (queue, task) => {
    const setting = queueSetting(task);
    queue.setWeight("g", 300);
    const first = queue.openClient({ name: "c", group: "g" });
    await setting.io(first, task);
    expect(queue.statisticsOf("g", task)?.weight).toBe(300);
    queue.removeGroup("g");
    const second = queue.openClient({ name: "d", group: "g" });
    await setting.io(second, task);
    expect(queue.statisticsOf("g", task)?.weight).toBe(500);
    expect(queue.removeGroup("/")).toBe(false);
  }));

describe("a client that closes", () => {
  it("waits for its bios, those that wait for their turn too, and takes no more", async () => {
    const setting = stage();
    const { scheduler } = setting;
    const disk = new TimedDisk(scheduler, 10);
    const statuses: BioStatus[] = [];
    let closedMs = 0;
    scheduler.spawn("user", async (task) => {
      const queue = await setting.createQueue(disk, task, { depth: 1 });
      const client = queue.openClient({ name: "c", group: "g" });
      for (let number = 0; number < 3; number += 1) {
        const bio = bioTo(client);
        bio.endIo = ({ status }) => void statuses.push(status);
        await setting.submitter.submitBio(bio, task);
      }
      expect([queue.inFlight, queue.queued]).toEqual([1, 2]);
      await client.close(task);
      closedMs = scheduler.clock.nowMs();
      expect(await setting.io(client, task)).toBe(BioStatus.IoError);
      await client.close(task);
      await queue.destroy(task);
      expect(setting.statsMemory.liveCount).toBe(0);
    });
    await scheduler.advance(1000);
    expect(closedMs).toBe(1030);
    expect(statuses).toEqual([BioStatus.Ok, BioStatus.Ok, BioStatus.Ok]);
  });

  it("while it has its turn does not keep the others waiting", async () => {
    const setting = stage();
    const { scheduler } = setting;
    const disk = new TimedDisk(scheduler, 10);
    let servedMs = 0;
    await scheduler.perform("setup", async (task) => {
      const queue = await setting.createQueue(disk, task, { depth: 1 });
      const leaving = queue.openClient({ name: "leaving", group: "a" });
      const staying = queue.openClient({ name: "staying", group: "b" });
      scheduler.spawn("leaving", async (self) => {
        await setting.io(leaving, self);
        await leaving.close(self);
      });
      scheduler.spawn("staying", async (self) => {
        await setting.io(staying, self);
        servedMs = scheduler.clock.nowMs();
      });
    });
    await scheduler.advance(100);
    expect(servedMs).toBe(1020);
  });
});
