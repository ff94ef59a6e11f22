import { BioOp } from "@blkstack/bio";
import type { BlockDevice, TargetType } from "@blkstack/block";
import { ExclusiveLock, type SnapshotPolicies, snapshotTargets } from "@blkstack/dm-snapshot";
import type { World } from "@blkstack/explorer";
import { Mutex, type Task } from "@blkstack/task";
import type { Column } from "./columns.ts";
import { linearAfter } from "./linear-after.ts";
import { type DmOptions, DmSetting } from "./setting.ts";

/**
 * A disk with a snapshot: `sda`, its store `sdb`, one disk more, and `origin`, the way to write to
 * `sda`. Two kinds of targets map like `linear` and need something first: `locked` the lock of the
 * snapshot, for a moment; `guarded` a mutex of their own.
 */
export class SnapshotStack {
  readonly setting: DmSetting;
  /** What `guarded` targets take. */
  readonly mutex: Mutex = new Mutex("M");
  #lock: ExclusiveLock | null = null;

  constructor(
    world: World,
    column: Column,
    policies: Partial<SnapshotPolicies> = {},
    { types: more = [], ...options }: Omit<DmOptions, keyof Column> = {},
  ) {
    const { splitPolicy, offload, submitOrder, wait } = column;
    const lock = (name: string): ExclusiveLock => (this.#lock = new ExclusiveLock(name));
    const kinds = snapshotTargets({ lock, wait, ...policies });
    const { snapshot, snapshotOrigin, snapshotMerge } = kinds;
    const types: TargetType[] = [
      snapshot,
      snapshotOrigin,
      snapshotMerge,
      ...this.#ownTypes(),
      ...more,
    ];
    this.setting = new DmSetting(world, {
      ...options,
      splitPolicy,
      offload,
      way: { submitOrder },
      types,
    });
    for (const name of ["sda", "sdb", "sdc"]) this.setting.disk(name);
  }

  create(name: string, ...lines: string[]): Promise<BlockDevice> {
    return this.setting.create(name, ...lines);
  }

  /** A task that reads `sectors` from the begin of a device, in one bio. */
  spawnReader(device: BlockDevice, sectors: number): void {
    this.setting.spawn("reader", { device, op: BioOp.Read, sector: 0, sectors });
  }

  /** A task that writes one chunk of 8 sectors. */
  spawnWriter(device: BlockDevice, sector: number): void {
    this.setting.spawn("writer", { device, op: BioOp.Write, sector, sectors: 8 });
  }

  /**
   * A task that writes a chunk, and then once more, with the mutex held until the second bio is on
   * its way: what a cache or a barrier does.
   */
  spawnGuardedWriter(device: BlockDevice, sector: number): void {
    const { setting, mutex } = this;
    const wish = { device, op: BioOp.Write, sector, sectors: 8 };
    const [first, guarded] = [setting.bio(wish), setting.bio(wish)];
    const write = async (task: Task): Promise<void> => {
      await first.submit(task);
      await mutex.lock(task);
      await guarded.submit(task);
      mutex.unlock(task);
    };
    setting.world.spawn("writer", write, { startsAtFirstStep: true });
  }

  #ownTypes(): TargetType[] {
    return [
      linearAfter("locked", async (task) => {
        await this.#lock?.enterMap(task);
        this.#lock?.leaveMap(task);
      }),
      linearAfter("guarded", async (task) => {
        await this.mutex.lock(task);
        this.mutex.unlock(task);
      }),
    ];
  }
}
