import { type Expectation, FindingError, type Scenario, type World } from "@blkstack/explorer";
import {
  correctAsync,
  IoGroup,
  Rcu,
  type StatsAlloc,
  type StatsInstaller,
} from "@blkstack/io-group";
import { choosesFailures, type FaultPlan, Memory, PerCpuAllocator } from "@blkstack/memory";
import type { Clock, Task, Waitable } from "@blkstack/task";
import { perGroup } from "../io-groups/per-group-installer.ts";
import { scenarioOf, type Story } from "../story.ts";

const FAILURES = 50;
/** After that many attempts, 10 ms each, the group is removed. */
const REMOVED_AFTER = 10;
const MEMORY_BACK_MS = 500;
/** More attempts at one moment come to no end. */
const AT_ONE_MOMENT_MAX = 100;
const PASSING: Waitable = { label: "time to pass", blockers: () => [] };

const failsFiftyTimes: FaultPlan = { fails: (_site, _gfp, attempt) => attempt <= FAILURES };

/** There is memory again after a while, and not because it is asked for. */
function failsForAWhile(clock: Clock): FaultPlan {
  let askedMs = clock.nowMs();
  let attempts = 0;
  return {
    fails() {
      const nowMs = clock.nowMs();
      attempts = nowMs === askedMs ? attempts + 1 : 1;
      askedMs = nowMs;
      if (attempts > AT_ONE_MOMENT_MAX) {
        const message = `memory is asked for ${String(attempts)} times at ${String(nowMs)} ms`;
        throw new FindingError("LIVELOCK", message);
      }
      return nowMs < MEMORY_BACK_MS;
    },
  };
}

/** A group that has no statistics yet, and goes. */
class GoingGroup {
  readonly memory: Memory;
  readonly group: IoGroup;
  readonly complaints: string[] = [];
  readonly #rcu: Rcu;
  readonly #installer: StatsInstaller;

  constructor(world: World, faultPlan: FaultPlan, statsAlloc: StatsAlloc) {
    const { scheduler } = world;
    this.memory = new Memory({ scheduler, faultPlan });
    this.#rcu = new Rcu(scheduler);
    const statsMemory = new PerCpuAllocator({ memory: this.memory, label: "statistics" });
    this.group = new IoGroup({ name: "tenant", parent: null, rcu: this.#rcu, statsMemory });
    this.#installer = statsAlloc({ scheduler, memory: statsMemory });
    world.atEnd(() => {
      if (!this.group.isFreed) this.complaints.push("the group is not freed");
      if (statsMemory.liveCount > 0) this.complaints.push("a block is lost");
      const isWell = this.complaints.length === 0;
      return isWell ? [] : [{ kind: "LEAK", message: this.complaints.join(", ") }];
    });
  }

  async create(task: Task): Promise<void> {
    await this.#installer.request(this.group, task);
  }

  remove(): void {
    this.#installer.cancel(this.group);
    this.group.unlink();
  }

  async end(task: Task): Promise<void> {
    await this.#installer.stop(task);
    await this.#rcu.barrier(task);
  }
}

async function pass(ms: number, task: Task): Promise<void> {
  await task.scheduler.sleep(task, PASSING, ms);
}

/** The group is removed at the tenth failure. */
function removed(
  expect: Expectation,
  summary: string,
  statsAlloc: StatsAlloc,
  planOf: (clock: Clock) => FaultPlan = () => failsFiftyTimes,
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const setting = new GoingGroup(world, planOf(world.scheduler.clock), statsAlloc);
      const { memory, group, complaints } = setting;
      world.spawn("owner", async (task) => {
        await setting.create(task);
        await pass(10 * REMOVED_AFTER - 5, task);
        const { failures } = memory.counters;
        if (failures !== REMOVED_AFTER) complaints.push(`asked ${String(failures)} times`);
        setting.remove();
        await pass(100, task);
        if (memory.counters.failures > failures) complaints.push("memory is asked for in vain");
        if (!group.isFreed) complaints.push("the group is kept alive");
        await setting.end(task);
      });
    },
  };
}

/** The group stays until the 51st attempt, which is no sooner than 490 ms after the first. */
function installed(summary: string, statsAlloc: StatsAlloc): Story {
  return {
    expect: "ok",
    summary,
    strategy: "dpor",
    build(world) {
      const setting = new GoingGroup(world, failsFiftyTimes, statsAlloc);
      const { group, complaints } = setting;
      world.spawn("owner", async (task) => {
        await setting.create(task);
        await pass(490, task);
        if (group.stats !== null) complaints.push("memory is asked for too often");
        await pass(20, task);
        if (group.stats === null) complaints.push("statistics are missing");
        setting.remove();
        await setting.end(task);
      });
    },
  };
}

/** As far as time goes anything may come first, and up to so many attempts fail. */
function anyTime(summary: string, statsAlloc: StatsAlloc, failures: number): Story {
  return {
    expect: "ok",
    summary,
    strategy: "dpor",
    timers: "any-time",
    build(world) {
      const setting = new GoingGroup(world, choosesFailures(world.scheduler, failures), statsAlloc);
      world.spawn("owner", async (task) => {
        await setting.create(task);
        await pass(10, task);
        setting.remove();
        await setting.end(task);
      });
    },
  };
}

/** Memory for statistics is not there for a while. */
export const statsRetry: Scenario = scenarioOf(
  "stats-retry",
  "fifty attempts to get memory for statistics fail, and the group is removed at the tenth",
  {
    "correct-async": removed("ok", "tried each 10 ms, until the group goes", correctAsync),
    "per-group-work": removed("ok", "by a worker for each group, which lets go of it", perGroup()),
    installs: installed("the group stays; the 51st attempt installs", correctAsync),
    "removed-any-time": anyTime("removed before, between and after attempts", correctAsync, 2),
    "per-group-any-time": anyTime("the same, by a worker for each group", perGroup(), 1),
    "at-once": removed(
      "LIVELOCK",
      "M22a: tried again at once, so that no time passes",
      perGroup({ retryMs: 0 }),
      failsForAWhile,
    ),
    "keeps-the-group": removed(
      "LEAK",
      "M22b: tried for a group that has gone, which it keeps alive",
      perGroup({ heedsCancel: false }),
    ),
  },
);
