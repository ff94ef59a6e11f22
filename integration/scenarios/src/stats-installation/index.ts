import { Bio } from "@blkstack/bio";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { correctAsync, IoGroup, Rcu, type StatsAlloc, syncInPath } from "@blkstack/io-group";
import { Memory, PerCpuAllocator } from "@blkstack/memory";
import { type Access, AccessMode, Completion } from "@blkstack/task";
import { perGroup } from "../io-groups/per-group-installer.ts";
import { freesUnlessOwn, freesWhatIsThere } from "../io-groups/wrong-settling.ts";
import { scenarioOf, type Story } from "../story.ts";

const COUNT: Access = { object: { label: "a bio" }, mode: AccessMode.Write, label: "count a bio" };

/** A group gets its statistics from several at once; bios are counted meanwhile, and then it goes. */
function installs(
  expect: Expectation,
  summary: string,
  ...statsAllocs: readonly StatsAlloc[]
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const { scheduler } = world;
      const memory = new Memory({ scheduler });
      const statsMemory = new PerCpuAllocator({ memory, label: "statistics" });
      const rcu = new Rcu(scheduler);
      const group = new IoGroup({ name: "tenant", parent: null, rcu, statsMemory });
      const installers = statsAllocs.map((alloc) => alloc({ scheduler, memory: statsMemory }));
      const counted = new Completion("bios to be counted", { scheduler });
      world.spawn("client", async (task) => {
        await world.step(task, COUNT);
        group.countIo(new Bio(), 0);
        counted.complete();
      });
      world.spawn("owner", async (task) => {
        for (const installer of installers) await installer.request(group, task);
        await counted.wait(task);
        for (const installer of installers) installer.cancel(group);
        group.unlink();
        for (const installer of installers) await installer.stop(task);
        await rcu.barrier(task);
      });
      world.atEnd(() => {
        const { liveCount } = statsMemory;
        if (!group.isFreed) return [{ kind: "LEAK", message: "the group is not freed" }];
        if (liveCount === 0) return [];
        return [{ kind: "LEAK", message: `${String(liveCount)} blocks of a group that has gone` }];
      });
    },
  };
}

/** Statistics are put into a group by compare and swap, and who comes too late frees its own. */
export const statsInstallation: Scenario = scenarioOf(
  "stats-installation",
  "statistics come to a group that counts and goes: they are installed once, and freed once",
  {
    "correct-async": installs("ok", "by one worker for all groups", correctAsync),
    "per-group-work": installs("ok", "by a worker for this group", perGroup()),
    "two-workers": installs("ok", "two workers at once; one frees its own", perGroup(), perGroup()),
    "worker-and-path": installs(
      "ok",
      "a worker, and a bio that cannot wait for it; one frees its own",
      correctAsync,
      syncInPath,
    ),
    "frees-unless-own": installs(
      "DOUBLE_FREE",
      "M21a: what was there before is not one's own, so what was just installed is freed",
      perGroup({ settle: freesUnlessOwn }),
    ),
    "frees-what-is-there": installs(
      "DOUBLE_FREE",
      "M21b: who comes too late frees the statistics of the group, and leaks its own",
      perGroup({ settle: freesWhatIsThere }),
      perGroup({ settle: freesWhatIsThere }),
    ),
  },
);
