import type { BlockDevice, TargetHost } from "@blkstack/block";
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

  /** The record of a device, made when first asked for. */
  of(device: BlockDevice): OriginRecord {
    const known = this.#records.get(device);
    if (known !== undefined) return known;
    const record = new OriginRecord(device, this.#scheduler);
    this.#records.set(device, record);
    return record;
  }

  /** The snapshots whose exceptions are kept on this device, the oldest first. */
  sharing(store: BlockDevice): readonly Snapshot[] {
    return this.#byStore.get(store) ?? [];
  }

  add(snapshot: Snapshot): void {
    const { cow } = snapshot;
    this.#byStore.set(cow, [...this.sharing(cow), snapshot]);
    this.of(snapshot.origin).add(snapshot);
  }

  remove(snapshot: Snapshot): void {
    const { cow, origin } = snapshot;
    const others = this.sharing(cow).filter((other) => other !== snapshot);
    if (others.length === 0) this.#byStore.delete(cow);
    else this.#byStore.set(cow, others);
    this.of(origin).remove(snapshot);
    this.#forgetIfUnused(origin);
  }

  addOriginTarget(device: BlockDevice, host: TargetHost): OriginRecord {
    const record = this.of(device);
    record.hosts.push(host);
    return record;
  }

  removeOriginTarget(device: BlockDevice, host: TargetHost): void {
    const { hosts } = this.of(device);
    hosts.splice(hosts.indexOf(host), 1);
    this.#forgetIfUnused(device);
  }

  #forgetIfUnused(device: BlockDevice): void {
    if (this.#records.get(device)?.isUnused === true) this.#records.delete(device);
  }
}
