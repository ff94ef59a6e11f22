import { BioOp, BioStatus } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import { assertNothingFound, defineScenario, explore, type Variant } from "@blkstack/explorer";
import { choosesFailures, failsAt } from "@blkstack/memory";
import { Completion } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Setting } from "../test/setting.ts";

interface Case extends Variant {
  /** Groups of the clients, one bio each. */
  readonly clients: readonly string[];
  readonly removesGroup?: boolean;
  readonly looks?: boolean;
  /** Allocations of groups or of statistics that fail, any of them. */
  readonly failures?: number;
}

const OK = { expect: "ok", summary: "every schedule ends well" } as const;

const CASES: Readonly<Record<string, Case>> = {
  "two-clients": { ...OK, clients: ["a", "b"] },
  removed: { ...OK, clients: ["a"], removesGroup: true },
  "removed-and-looked-at": { ...OK, clients: ["a"], removesGroup: true, looks: true },
  "short-of-memory": { ...OK, clients: ["a"], removesGroup: true, failures: 2 },
  "two-clients-of-one-group": { ...OK, clients: ["a", "a"], removesGroup: true, failures: 1 },
};

const scenario = defineScenario({
  name: "groups",
  summary: "clients of groups that come and go send bios to a disk that takes one at a time",
  variants: CASES,
  build(world, variant) {
    const wanted = CASES[variant];
    if (wanted === undefined) throw new RangeError(variant);
    const { scheduler } = world;
    const setting = new Setting(scheduler);
    const { memory, statsMemory } = setting;
    const disk = new RamDisk({ name: "ram0", sizeSectors: 64, scheduler });
    let left = wanted.clients.length;
    const statuses: BioStatus[] = [];
    world.spawn("owner", async (task) => {
      const queue = await setting.createQueue(disk, task, { depth: 1, idleTicks: 0 });
      const plan = choosesFailures(scheduler, wanted.failures ?? 0);
      memory.faultPlan = failsAt(["groups of disk", "statistics"], plan);
      const ended = new Completion("clients to end", { scheduler });
      for (const [number, group] of wanted.clients.entries()) {
        const name = `client-${String(number)}`;
        world.spawn(name, async (client) => {
          const device = queue.openClient({ name, group });
          statuses.push(await setting.io(device, client, BioOp.Write));
          await device.close(client);
          left -= 1;
          if (left === 0) ended.complete();
        });
      }
      if (wanted.removesGroup === true) {
        world.spawn("administrator", () => void queue.removeGroup("a"));
      }
      if (wanted.looks === true) {
        world.spawn("reader", (reader) => void queue.statisticsOf("a", reader));
      }
      await ended.wait(task);
      await queue.destroy(task);
    });
    world.atEnd(() => {
      const complaints: string[] = [];
      if (statuses.some((status) => status !== BioStatus.Ok)) complaints.push("a bio failed");
      if (statuses.length !== wanted.clients.length) complaints.push("a bio was lost");
      if (statsMemory.liveCount > 0) complaints.push("statistics were lost");
      return complaints;
    });
  },
});

// More than the usual 5 s: a machine may have much else to do.
describe(
  "bios of groups that come and go all end, and nothing is freed twice or never",
  {
    timeout: 60_000,
  },
  () => {
    it.each(["removed", "removed-and-looked-at", "short-of-memory"])(
      "under every schedule (%s)",
      async (variant) => {
        const report = await explore(scenario, variant, { strategy: "dpor" });
        assertNothingFound(report);
        expect(report.verdict).toBe("proved");
      },
    );

    it.each(["two-clients", "two-clients-of-one-group"])(
      "under 500 schedules of many (%s)",
      async (variant) => {
        const strategy = { strategy: "random", executions: 500 } as const;
        assertNothingFound(await explore(scenario, variant, strategy));
      },
    );
  },
);
