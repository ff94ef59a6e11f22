import { BioFlag, BioOp } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { assertNothingFound, defineScenario, explore, type Scenario } from "@blkstack/explorer";
import { allFail } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { describe, expect, it, vi } from "vitest";
import { ExploredSetting, type WriteCounts } from "../test/explored-setting.ts";
import type { DeviceMapperOptions } from "./device-mapper.ts";
import { wholeSets } from "./fan-out-policy.ts";
import { Interruption } from "./interruption.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

vi.setConfig({ testTimeout: 90_000 });

const TWO_LINES = "0 8 probe a 0\n8 8 probe b 0";

interface Story {
  readonly table: string;
  readonly options?: Partial<DeviceMapperOptions>;
  readonly copies?: number;
  /** One task each, which send bios. */
  readonly senders: readonly ((setting: ExploredSetting, task: Task) => Promise<unknown>)[];
  /** What people do meanwhile; the device is there, and no bio has been sent. */
  readonly people: (setting: ExploredSetting, task: Task) => Promise<void>;
  /** Whatever more must hold at the end. */
  readonly problems?: (setting: ExploredSetting) => readonly string[];
  /** What a bio may end with; OK alone, unless told. */
  readonly ends?: RegExp;
}

/** People change a device while others use it. */
function scenarioOf(story: Story): Scenario {
  return defineScenario({
    name: "changes-in-use",
    summary: "people change a device while others use it",
    variants: { all: { expect: "ok", summary: "every schedule ends well" } },
    build(world) {
      const setting = new ExploredSetting(world, story.options, story.copies);
      world.spawn("people", async (task) => {
        await setting.create(story.table, task);
        for (const [index, send] of story.senders.entries()) {
          world.spawn(`sender ${String(index)}`, async (by) => {
            await send(setting, by);
          });
        }
        await story.people(setting, task);
      });
      const allowed = story.ends ?? / OK$/;
      world.atEnd(() => setting.ends.filter((end) => !allowed.test(end)));
      world.atEnd(() => story.problems?.(setting) ?? []);
    },
  });
}

async function expectProof(story: Story): Promise<void> {
  const report = await explore(scenarioOf(story), "all", { strategy: "dpor", seconds: 60 });
  assertNothingFound(report);
  expect(report.verdict).toBe("proved");
}

const write =
  (sector: number, sectors: number, flags = 0) =>
  (setting: ExploredSetting, task: Task): Promise<string> =>
    setting.send(BioOp.Write, sector, sectors, task, flags);

/** The sectors were written as often, counted over both disks. */
function written(
  counts: readonly WriteCounts[],
  [first, end]: readonly [first: number, end: number],
  times = 1,
): readonly string[] {
  const problems: string[] = [];
  for (let sector = first; sector < end; sector += 1) {
    const found = counts.reduce((sum, { counts: on }) => sum + (on[sector] ?? 0), 0);
    if (found !== times)
      problems.push(`sector ${String(sector)} was written ${String(found)} times`);
  }
  return problems;
}

describe.each([frontClone, remainderClone, loop])("cut by $name", (splitPolicy) => {
  const options = { splitPolicy };

  it("a write over two lines is whole, whenever its device is suspended and resumed", async () => {
    await expectProof({
      table: TWO_LINES,
      options,
      senders: [write(4, 8)],
      people: async (setting, task) => {
        await setting.suspend(task);
        await setting.dm.resume("md", task);
      },
      problems: ({ onA, onB }) => [...written([onA], [4, 8]), ...written([onB], [0, 4])],
    });
  });

  it("of a write that is given back each sector is written once, here or there", async () => {
    await expectProof({
      table: "0 4 probe a 0\n4 4 probe a 4",
      options,
      senders: [write(2, 4)],
      people: async (setting, task) => {
        await setting.suspend(task, { noflush: true });
        await setting.dm.load("md", "0 8 probe b 0", task);
        await setting.dm.resume("md", task);
      },
      problems: ({ onA, onB }) => written([onA, onB], [2, 6]),
    });
  });
});

it("two writes are written once each, though a suspend that wants them back is called off", async () => {
  await expectProof({
    table: "0 8 probe a 0",
    senders: [write(0, 4), write(4, 4)],
    people: async (setting, task) => {
      const interruption = new Interruption();
      task.scheduler.spawn("signal", () => {
        interruption.raise();
      });
      try {
        await setting.suspend(task, { noflush: true, interruption });
        await setting.dm.resume("md", task);
      } catch (error) {
        if (!(error instanceof BlockError) || error.errno !== "EINTR") throw error;
        if (setting.dm.info("md").isSuspended) setting.problems.push("not undone");
      }
    },
    problems: ({ onA }) => written([onA], [0, 8]),
  });
});

it("the data of a flush goes behind it, whenever its device is suspended and reloaded", async () => {
  await expectProof({
    table: "0 8 probe a 0",
    senders: [write(0, 4, BioFlag.Preflush)],
    people: async (setting, task) => {
      await setting.suspend(task);
      await setting.dm.load("md", "0 8 probe b 0", task);
      await setting.dm.resume("md", task);
    },
    problems: ({ onA, onB }) => [
      ...written([onA, onB], [0, 4]),
      ...(onA.flushes + onB.flushes === 1 ? [] : ["the flush came more than once, or never"]),
    ],
  });
});

it("two people may command at once: each bio still ends once", async () => {
  await expectProof({
    table: "0 8 probe a 0",
    senders: [
      write(0, 4),
      async ({ dm }, task) => {
        await dm.suspend("md", task);
        await dm.resume("md", task);
      },
    ],
    people: async ({ dm }, task) => {
      await dm.load("md", "0 8 probe b 0", task);
      await dm.resume("md", task);
    },
    problems: ({ onA, onB }) => written([onA, onB], [0, 4]),
  });
});

it("a removal ends a write well or with an error, and leaves nothing", async () => {
  await expectProof({
    table: "0 8 probe a 0",
    senders: [write(0, 4)],
    people: async ({ dm }, task) => {
      await dm.suspend("md", task);
      await dm.remove("md", task);
    },
    ends: / (?:OK|EIO)$/,
  });
});

it.each([
  { copies: 3, poolSize: 2 },
  { copies: 4, poolSize: 1 },
])("discards that need $copies copies each end without memory", async ({ copies, poolSize }) => {
  const story: Story = {
    table: "0 16 probe a 0",
    options: { poolSize },
    copies,
    senders: [0, 4].map((sector) => (setting: ExploredSetting, task: Task) => {
      return setting.send(BioOp.Discard, sector, 4, task);
    }),
    people: ({ memory }) => {
      memory.faultPlan = allFail;
      return Promise.resolve();
    },
  };
  // Too many schedules for a proof.
  const options = { strategy: "random", executions: 300 } as const;
  assertNothingFound(await explore(scenarioOf(story), "all", options));
});

it("two flushes of two lines each end without memory, with a clone in reserve for one line", async () => {
  const flush = (setting: ExploredSetting, task: Task): Promise<string> =>
    setting.send(BioOp.Write, 0, 0, task, BioFlag.Preflush);
  const story: Story = {
    table: TWO_LINES,
    options: { poolSize: 2, fanOut: { ...wholeSets, reserve: () => 1 } },
    senders: [flush, flush],
    people: ({ memory }) => {
      memory.faultPlan = allFail;
      return Promise.resolve();
    },
  };
  // Too many schedules for a proof.
  const options = { strategy: "random", executions: 300 } as const;
  assertNothingFound(await explore(scenarioOf(story), "all", options));
});
