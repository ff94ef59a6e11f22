import { Bio, BioOp } from "@blkstack/bio";
import { Memory, type MemoryOptions, PerCpuAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { correctAsync, IoGroup, Rcu, type StatsAlloc, type StatsInstaller } from "../src/index.ts";

export interface Setting {
  readonly scheduler: VirtualScheduler;
  readonly rcu: Rcu;
  readonly memory: Memory;
  readonly statsMemory: PerCpuAllocator;
  readonly installer: StatsInstaller;
  readonly group: (name: string, parent?: IoGroup) => IoGroup;
}

export function setting(
  statsAlloc: StatsAlloc = correctAsync,
  options: Omit<MemoryOptions, "scheduler"> = {},
): Setting {
  const scheduler = new VirtualScheduler({ startMs: 1000 });
  const memory = new Memory({ scheduler, ...options });
  const statsMemory = new PerCpuAllocator({ memory, cpus: 2, label: "statistics" });
  const rcu = new Rcu(scheduler);
  return {
    scheduler,
    rcu,
    memory,
    statsMemory,
    installer: statsAlloc({ scheduler, memory: statsMemory }),
    group: (name, parent) => new IoGroup({ name, parent: parent ?? null, rcu, statsMemory }),
  };
}

export function bioOf(op: BioOp, bytes: number, flags = 0): Bio {
  const bio = new Bio();
  bio.op = op;
  bio.flags = flags;
  bio.sizeBytes = bytes;
  return bio;
}

export const aRead = (): Bio => bioOf(BioOp.Read, 4096);
