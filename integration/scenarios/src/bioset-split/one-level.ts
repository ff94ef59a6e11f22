import type { BioSet, BioSetOptions } from "@blkstack/bio-set";
import type { World } from "@blkstack/explorer";
import { Mempool } from "@blkstack/mempool";
import { type FaultPlan, Slab } from "@blkstack/memory";
import { GFP_NOIO, type Waitable } from "@blkstack/task";
import { BioSetWithData, PieceData } from "./second-pool.ts";
import { type SetClass, Setting } from "./setting.ts";
import { spawnWriter, Splitter, type SplitterOptions, watchPool } from "./stack.ts";

export interface OneLevel {
  readonly writers: number;
  readonly set?: Partial<BioSetOptions>;
  readonly Kind?: SetClass;
  readonly driver?: Partial<SplitterOptions>;
  /** What fails; all memory unless told. */
  readonly memory?: FaultPlan;
  /** How often a patrol looks, each second, whether bios are still on their way. */
  readonly patrolRounds?: number;
}

/** Writers upon one driver that cuts each bio in two, with as many bios in reserve as writers. */
export function oneLevel(world: World, options: OneLevel): void {
  const { writers, set = {}, Kind, driver = {} } = options;
  const setting = new Setting(world);
  const pool = setting.bioSet({ name: "md0-split", poolSize: writers, ...set }, Kind);
  const { submitter, disk } = setting;
  const pieces = [4, 4].map((sizeSectors) => ({ to: disk, sizeSectors }));
  const md = new Splitter({ world, name: "md0", set: pool, submitter, pieces, ...driver }, disk);
  for (let writer = 1; writer <= writers; writer += 1) {
    const way = { submitter, device: md, sector: 8 * (writer - 1) };
    spawnWriter(world, `submitter-${String(writer)}`, way);
  }
  if (options.patrolRounds !== undefined) patrol(world, pool.bioPool, options.patrolRounds);
  setting.exhaustMemory(options.memory);
}

/** A task with a timer of its own: whoever takes timers for hope sees no end of it. */
function patrol(world: World, pool: BioSet["bioPool"], rounds: number): void {
  const second: Waitable = { label: "the next second", blockers: () => [] };
  world.scheduler.spawn("patrol", async (task) => {
    for (let round = 0; round < rounds; round += 1) {
      await task.scheduler.sleep(task, second, 1000);
      if (pool.liveCount === 0) return;
    }
  });
}

/** A driver whose set has bios enough, but which needs an element of another pool for each. */
export function secondMempool(world: World): void {
  const setting = new Setting(world);
  const { submitter, disk, memory } = setting;
  const { scheduler } = world;
  const allocator = new Slab(memory, "data of md0", () => new PieceData());
  const data = new Mempool({ scheduler, label: 'mempool "md0-data"', allocator, minNr: 1 });
  const set = setting.bioSet({ name: "md0-split", poolSize: 2 }, BioSetWithData);
  watchPool(world, data);
  const pieces = [4, 4].map((sizeSectors) => ({ to: disk, sizeSectors }));
  const md = new Splitter(
    {
      world,
      name: "md0",
      set,
      submitter,
      pieces,
      async prepare(piece, task) {
        set.attach(piece, data, await data.alloc(GFP_NOIO, task));
      },
    },
    disk,
  );
  spawnWriter(world, "submitter-1", { submitter, device: md, sector: 0 });
  setting.exhaustMemory();
}
