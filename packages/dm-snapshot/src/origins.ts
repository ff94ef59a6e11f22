import type { BlockDevice } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";
import { OriginRecord } from "./origin-record.ts";
import type { Snapshot } from "./snapshot.ts";

/** All origins, and the snapshots of each: where targets of different tables find each other. */
export class Origins {
  readonly #scheduler: Scheduler;
  readonly #records = new Map<BlockDevice, OriginRecord>();
  /** By the device that the store is on: more than one while a snapshot is handed over. */
  readonly #byStore = new Map<BlockDevice, Snapshot[]>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The record of a device, to be released as often as it was claimed. */
  claim(device: BlockDevice): OriginRecord {
    const record = this.#records.get(device) ?? new OriginRecord(device, this.#scheduler);
    this.#records.set(device, record);
    record.claims += 1;
    return record;
  }

  release(record: OriginRecord): void {
    record.claims -= 1;
    if (record.claims === 0) this.#records.delete(record.device);
  }

  /** The snapshots whose exceptions are kept on this device, the oldest first. */
  sharing(store: BlockDevice): readonly Snapshot[] {
    return this.#byStore.get(store) ?? [];
  }

  add(snapshot: Snapshot): void {
    const { cow } = snapshot;
    this.#byStore.set(cow, [...this.sharing(cow), snapshot]);
    snapshot.originRecord.add(snapshot);
  }

  /** Who was to take over from it has nothing to take over, and is lost. */
  remove(snapshot: Snapshot): void {
    const { cow } = snapshot;
    const others = this.sharing(cow).filter((other) => other !== snapshot);
    if (others.length === 0) this.#byStore.delete(cow);
    else this.#byStore.set(cow, others);
    snapshot.originRecord.remove(snapshot);
    for (const other of others) if (other.store === null) other.cancelHandover();
  }
}
