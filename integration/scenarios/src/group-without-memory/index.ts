import type { Expectation, Scenario } from "@blkstack/explorer";
import { type IoGroup, StatFamily, StatKind } from "@blkstack/io-group";
import { choosesFailures, failsAt, Memory } from "@blkstack/memory";
import { Completion } from "@blkstack/task";
import { type ChooseGroup, ownGroupOrRoot } from "@blkstack/throttle";
import { Tenant } from "../io-groups/tenant.ts";
import { scenarioOf, type Story } from "../story.ts";

const BIOS = 2;

/** Goes without memory, and never says that it does not look at groups any more. */
const leavesReadSideOpen: ChooseGroup = (lookup, task) => {
  const phase = lookup.rcu.readLock(task);
  const group = lookup.findOrCreate();
  if (group === null) return lookup.root;
  lookup.rcu.readUnlock(phase, task);
  return group;
};

/** Without a group a bio is nobody's. */
const ownGroupOrNone: ChooseGroup = (lookup, task) => {
  const phase = lookup.rcu.readLock(task);
  const group = lookup.findOrCreate();
  lookup.rcu.readUnlock(phase, task);
  return group;
};

/** Two tasks write in the name of a group that is to be made; up to two attempts to make it fail. */
function writes(expect: Expectation, summary: string, policy: ChooseGroup): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const memory = new Memory({ scheduler });
      let root: IoGroup | null = null;
      const chooseGroup: ChooseGroup = (lookup, task) => {
        root = lookup.root;
        return policy(lookup, task);
      };
      const tenant = new Tenant(world, { memory, chooseGroup });
      memory.faultPlan = failsAt(["throttle groups"], choosesFailures(scheduler, BIOS));
      const ended = new Completion("bios to end", { scheduler });
      const complaints: string[] = [];
      for (let number = 1; number <= BIOS; number += 1) {
        world.spawn(`writer-${String(number)}`, (task) =>
          tenant.write(task, () => {
            ended.complete();
          }),
        );
      }
      world.spawn("owner", async (task) => {
        for (let left = BIOS; left > 0; left -= 1) await ended.wait(task);
        const { failures } = memory.counters;
        const atRoot = root?.stats?.get(StatFamily.Ios, StatKind.Write) ?? 0;
        if (atRoot !== failures)
          complaints.push(`the root has ${String(atRoot)} of ${String(failures)} bios`);
        await tenant.end(task);
      });
      world.atEnd(() => complaints);
    },
  };
}

/** There is no memory for the group of a bio, and none may be waited for. */
export const groupWithoutMemory: Scenario = scenarioOf(
  "group-without-memory",
  "two bios of a group go down, and there may be no memory to make the group",
  {
    "own-or-root": writes("ok", "charged to the root; the next one tries again", ownGroupOrRoot),
    "read-side-left-open": writes(
      "STALL",
      "M24: without memory nobody ends the look at groups, so none is ever freed",
      leavesReadSideOpen,
    ),
    "charged-to-nobody": writes(
      "WRONG",
      "M24: without memory there is no group, and the bio is not counted",
      ownGroupOrNone,
    ),
  },
);
