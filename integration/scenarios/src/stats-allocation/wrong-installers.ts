import {
  GROUP_STAT_WORDS,
  GroupStats,
  type StatsAlloc,
  type StatsInstaller,
  syncInPath,
} from "@blkstack/io-group";
import { GFP_NOWAIT, withNoIo } from "@blkstack/memory";
import { type Access, AccessMode } from "@blkstack/task";

const NOTHING_KEPT: Pick<StatsInstaller, "cancel" | "stop"> = {
  cancel() {
    return undefined;
  },
  stop() {
    return undefined;
  },
};

/** Whoever makes a group has a noio scope; others who allocate from the same allocator have none. */
export const inPathWithoutIo: StatsAlloc = (options) => {
  const inPath = syncInPath(options);
  return {
    ...NOTHING_KEPT,
    request: (group, task) =>
      withNoIo(task, async () => {
        await inPath.request(group, task);
      }),
  };
};

/** Never waits for the allocator, only asks again and again. */
export const triesAndSpins: StatsAlloc = ({ scheduler, memory }) => {
  const spin: Access = { object: memory, mode: AccessMode.Read, label: `try ${memory.label}` };
  return {
    ...NOTHING_KEPT,
    async request(group, task) {
      for (;;) {
        const block = memory.tryAlloc(GROUP_STAT_WORDS, GFP_NOWAIT);
        if (block !== null) {
          if (group.installStats(new GroupStats(block)) !== null) memory.free(block);
          return;
        }
        await scheduler.mayPreempt(task, spin);
      }
    },
  };
};
