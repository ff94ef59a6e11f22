import type { Expectation, Scenario } from "@blkstack/explorer";
import { correctAsync, type GroupStats, type StatsAlloc } from "@blkstack/io-group";
import { failsAt, Memory } from "@blkstack/memory";
import { Completion, type Waitable } from "@blkstack/task";
import { type Accounting, countsWhenCharged } from "@blkstack/throttle";
import { perGroup } from "../io-groups/per-group-installer.ts";
import { Tenant } from "../io-groups/tenant.ts";
import { freesUnlessOwn } from "../io-groups/wrong-settling.ts";
import { scenarioOf, type Story } from "../story.ts";

const EARLY_BIOS = 3;
const LATE_BIOS = 4;
/** So many that some have to wait. */
const WRITES_PER_SECOND = 20;
const PASSING: Waitable = { label: "time to pass", blockers: () => [] };

/** Sure that there are statistics. */
const withoutLooking: Accounting = {
  ...countsWhenCharged,
  bioCharged(group, bio, cpu) {
    const { stats } = group as { readonly stats: GroupStats };
    stats.countIo(bio, cpu);
  },
};

/** A bio that has to wait counts, and so does one that goes. */
const countsTwice: Accounting = {
  bioHeld(group, bio, cpu) {
    group.countIo(bio, cpu);
  },
  bioCharged(group, bio, cpu) {
    group.countIo(bio, cpu);
  },
};

interface Choice {
  readonly statsAlloc?: StatsAlloc;
  readonly accounting?: Accounting;
}

/** Bios of a group go down before its statistics are there, and others afterwards. */
function writes(expect: Expectation, summary: string, choice: Choice = {}): Story {
  const { statsAlloc = correctAsync, accounting = countsWhenCharged } = choice;
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const memory = new Memory({ scheduler });
      const limits = { wiops: WRITES_PER_SECOND };
      const tenant = new Tenant(world, { memory, statsAlloc, accounting, limits });
      const { throttle, perCpu } = tenant;
      let gone = 0;
      memory.faultPlan = failsAt([perCpu.label], { fails: () => gone < EARLY_BIOS });
      const complaints: string[] = [];
      const ended = new Completion("bios to end", { scheduler });
      const onEnd = (): void => {
        gone += 1;
        ended.complete();
      };
      world.spawn("client", async (task) => {
        for (let left = EARLY_BIOS; left > 0; left -= 1) {
          await tenant.write(task, onEnd);
          await ended.wait(task);
        }
        await task.scheduler.sleep(task, PASSING, 1000);
        for (let left = LATE_BIOS; left > 0; left -= 1) await tenant.write(task, onEnd);
        for (let left = LATE_BIOS; left > 0; left -= 1) await ended.wait(task);
        const line = throttle.ioStat("tenant", "sda");
        if (!line.includes(` wios=${String(LATE_BIOS)} `)) complaints.push(`counted: ${line}`);
        await tenant.end(task);
      });
      world.atEnd(() => complaints);
    },
  };
}

/** What a group does before it has statistics is not counted, and what it does then is, once. */
export const earlyBios: Scenario = scenarioOf(
  "early-bios",
  "three bios of a group go before its statistics are there, and four afterwards",
  {
    "counted-when-charged": writes("ok", "four are counted"),
    "without-looking": writes("ERROR", "M25: a bio is counted in statistics that are not there", {
      accounting: withoutLooking,
    }),
    "held-and-charged": writes("WRONG", "M25: bios that had to wait are counted twice", {
      accounting: countsTwice,
    }),
    "frees-unless-own": writes(
      "USE_AFTER_FREE",
      "M21a: the first bio to be counted finds that what was installed was freed",
      { statsAlloc: perGroup({ settle: freesUnlessOwn }) },
    ),
  },
);
