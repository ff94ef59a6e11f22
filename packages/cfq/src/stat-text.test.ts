import { BioOp } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Setting } from "../test/setting.ts";
import { TimedDisk } from "../test/timed-disk.ts";
import type { CfqClient, StatFormat } from "./index.ts";

/** The text of a group after three reads and a write of 4 KiB, while two more wait. */
async function textOf(group: string, format: StatFormat): Promise<string | null> {
  const scheduler = new VirtualScheduler({ isExploring: false });
  const setting = new Setting(scheduler);
  const device = new TimedDisk(scheduler, 1);
  const queue = await scheduler.perform("setup", (task) => setting.createQueue(device, task));
  queue.setWeight("g", 300);
  const send = async (to: CfqClient, op: BioOp, ms: number): Promise<void> => {
    scheduler.spawn("client", async (task) => {
      await setting.io(to, task, op);
    });
    await scheduler.advance(ms);
  };
  const client = queue.openClient({ name: "client of g", group: "g" });
  // The group comes into being with the first one; it is counted from when there is memory for that.
  for (const op of [BioOp.Read, BioOp.Read, BioOp.Read, BioOp.Write]) await send(client, op, 5);
  // Another one waits for the end of the turn, then two of the group for its next one.
  const other = queue.openClient({ name: "another client", group: "other" });
  await send(other, BioOp.Read, 60);
  for (const ms of [0, 1]) await send(client, BioOp.Read, ms);
  const text = await scheduler.perform("look", (task) =>
    queue.statTextOf(group, "8:0", format, task),
  );
  await scheduler.advance(100);
  await scheduler.perform("end", (task) => queue.destroy(task));
  return text;
}

describe("what a group has done with a disk", () => {
  it("is a line of io.stat, with its share behind what is counted everywhere", async () => {
    expect(await textOf("g", "io.stat")).toBe(
      "8:0 rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0 " +
        "cfq.weight=300 cfq.time=46 cfq.merged=0 cfq.queued=2 cfq.dequeues=1",
    );
  });

  it("is the files of the first version of cgroups, each line behind the name of its file", async () => {
    const lines = ((await textOf("g", "blkio")) ?? "").split("\n");
    const [weight, time, sectors, ...rest] = lines;
    expect([weight, time, sectors]).toEqual([
      "weight_device 8:0 300",
      "time 8:0 46",
      "sectors 8:0 24",
    ]);
    expect(rest).toContain("io_service_bytes 8:0 Read 8192");
    expect(rest).toContain("io_service_bytes 8:0 Write 4096");
    expect(rest).toContain("io_serviced 8:0 Total 3");
    expect(rest).toContain("io_merged 8:0 Total 0");
    expect(rest.slice(-2)).toEqual(["io_queued 8:0 2", "dequeue 8:0 1"]);
  });

  it("is not told of a group that is not there", async () => {
    expect(await textOf("nobody", "io.stat")).toBeNull();
    expect(await textOf("nobody", "blkio")).toBeNull();
  });
});
