import { BioOp } from "@blkstack/bio";
import type { TargetType } from "@blkstack/block";
import {
  type OriginTurnPolicy,
  type SnapshotPolicies,
  snapshotTargets,
} from "@blkstack/dm-snapshot";
import type { Expectation, Scenario } from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { COLUMNS } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf, type Story } from "../story.ts";

/** Who wants to begin a copy beside another one waits; two were begun before that. */
const COPIES_MAX = 0;

/** An origin whose writes came before anybody counted. */
const hasty: TargetType = {
  ...snapshotTargets({ cowThrottle: async (turn, task) => turn.write(task) }).snapshotOrigin,
  name: "hasty-origin",
};

/** M21: the copier, which brings copies to an end, waits until some have ended. */
const copierToo: OriginTurnPolicy = async (turn, task) => {
  await turn.waitForCopies(task);
  return turn.write(task);
};

/** Writers of an origin wait while too many copies are under way. */
export const copyThrottle: Scenario = scenarioOf(
  "copy-throttle",
  "writes to an origin wait until fewer copies are under way, and another snapshot comes",
  {
    unlocked: throttled("unlocked", "ok", "they wait with no lock, and the copier never does"),
    "under-lock": throttled(
      "under-origins-lock",
      "DEADLOCK",
      "as in 2018: they wait with the lock; the new snapshot waits for it, and the copier for that",
    ),
    "copier-too": throttled(
      copierToo,
      "DEADLOCK",
      "M21: the copier retries a write, and waits for copies that only it can end",
    ),
  },
);

function throttled(
  cowThrottle: SnapshotPolicies["cowThrottle"],
  expect: Expectation,
  summary: string,
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const policies = { copiesMax: COPIES_MAX, cowThrottle, wait: "unlocked" } as const;
      const stack = new SnapshotStack(world, COLUMNS["front-clone"], policies, { types: [hasty] });
      const { setting } = stack;
      setting.promptDisks("sda", "sdb", "sdc");
      await stack.create("snap", "0 24 snapshot sda sdb N 8");
      const origin = await stack.create("origin", "0 24 snapshot-origin sda");
      const early = await stack.create("early", "0 24 hasty-origin sda");
      await stack.create("another");
      for (const sector of [0, 8]) {
        const write = { device: early, op: BioOp.Write, sector, sectors: 8 };
        await setting.submitEarly(setting.bio(write));
      }
      const write = setting.bio({ device: origin, op: BioOp.Write, sector: 16, sectors: 8 });
      world.spawn("writer", (task) => write.submit(task));
      const table = "0 24 snapshot sda sdc N 8";
      const load = (task: Task): Promise<void> => setting.dm.load("another", table, task);
      world.spawn("administrator", load, { startsAtFirstStep: true });
    },
  };
}
