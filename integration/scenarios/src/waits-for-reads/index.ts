import { BioOp } from "@blkstack/bio";
import type { SettlePolicy, SettlingCopy, SnapshotPolicies } from "@blkstack/dm-snapshot";
import type { Expectation, Scenario, World } from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { TODAY } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf, type Story } from "../story.ts";
import { LateReads } from "./late-reads.ts";

const CHUNK_SECTORS = 8;

const noWait: SettlePolicy = (copy, task) => settle(copy, task);

const drainFirst: SettlePolicy = async (copy, task) => {
  await copy.drain(task);
  await settle(copy, task);
};

/** A chunk of the origin is overwritten while somebody still reads it for the snapshot. */
export const waitsForReads: Scenario = scenarioOf(
  "waits-for-reads",
  "a read of a snapshot is under way to the origin when that chunk of the origin is written",
  {
    unlocked: reading(
      "unlocked",
      "ok",
      "new reads go to the store, then the old ones are waited for",
    ),
    "under-lock": reading("under-lock", "ok", "the reads are waited for with the lock held"),
    "no-wait": reading(
      noWait,
      "WRONG",
      "as before 2008: nobody waits, and the read finds what was written after the snapshot",
    ),
    "drain-first": reading(
      drainFirst,
      "WRONG",
      "M19: reads are waited for before new ones go to the store; one slips in between",
    ),
    "second-write": again(
      {},
      "ok",
      "another write comes when the chunk is in the store, and waits for the reads as well",
    ),
    "complete-first": again(
      { originWaits: ({ hasException }) => !hasException },
      "WRONG",
      "M20: another write finds the chunk in the store, and does not ask who still reads it",
    ),
  },
);

async function settle(copy: SettlingCopy, task: Task): Promise<void> {
  await copy.lock.enterChange(task);
  copy.insert();
  copy.lock.leaveChange(task);
}

function reading(wait: SnapshotPolicies["wait"], expect: Expectation, summary: string): Story {
  return { expect, summary, strategy: "dpor", build: (world) => build(world, { wait }, 1) };
}

/** A second write to the chunk, right behind the first. */
function again(policies: Partial<SnapshotPolicies>, expect: Expectation, summary: string): Story {
  return { expect, summary, strategy: "dpor", build: (world) => build(world, policies, 2) };
}

async function build(
  world: World,
  policies: Partial<SnapshotPolicies>,
  writes: number,
): Promise<void> {
  const stack = new SnapshotStack(world, TODAY, policies);
  const { setting } = stack;
  const disk = new LateReads(world, "sda", 16);
  setting.add(disk);
  const snap = await stack.create("snap", "0 16 snapshot sda sdb N 8");
  const origin = await stack.create("origin", "0 16 snapshot-origin sda");
  const read = setting.bio({ device: snap, op: BioOp.Read, sector: 0, sectors: CHUNK_SECTORS });
  world.spawn("reader", (task) => read.submit(task), { startsAtFirstStep: true });
  for (let number = 1; number <= writes; number += 1) {
    const wish = { device: origin, op: BioOp.Write, sector: 0, sectors: CHUNK_SECTORS };
    const write = setting.bio(wish);
    write.bytes.fill(1);
    const name = writes === 1 ? "writer" : `writer-${String(number)}`;
    world.spawn(name, (task) => write.submit(task), { startsAtFirstStep: true });
  }
  world.atEnd(() => {
    if (read.bytes.every((byte) => byte === 0)) return [];
    return ["the snapshot shows what was written after it"];
  });
}
