import type { Bio } from "@blkstack/bio";
import type { DeviceRange, StatusKind, TargetContext } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { BioData } from "./bio-data.ts";
import { activate, refuseEarlyResume } from "./handover.ts";
import type { Origins } from "./origins.ts";
import type { Snapshot } from "./snapshot.ts";
import { argumentsText, type SnapshotArguments } from "./snapshot-arguments.ts";
import { messageOf } from "./snapshot-message.ts";
import { snapshotStatus } from "./snapshot-status.ts";

/** What `snapshot` and `snapshot-merge` have in common: a snapshot that is a line of a table. */
export class SnapshotLine {
  readonly snapshot: Snapshot;
  readonly context: TargetContext;
  readonly given: SnapshotArguments;
  readonly #origins: Origins;

  constructor(
    snapshot: Snapshot,
    origins: Origins,
    context: TargetContext,
    given: SnapshotArguments,
  ) {
    this.snapshot = snapshot;
    this.context = context;
    this.given = given;
    this.#origins = origins;
  }

  /** What is kept with a bio of this line. */
  dataOf(bio: Bio): BioData {
    return this.context.perBioData(bio) as BioData;
  }

  status(kind: StatusKind, hasMergeFailed = false): string {
    if (kind === "info") return snapshotStatus(this.snapshot, hasMergeFailed);
    const { origin, cow, chunkSectors } = this.snapshot;
    const label = this.context.deviceLabel;
    return argumentsText(this.given, { origin: label(origin), cow: label(cow), chunkSectors });
  }

  message(words: readonly string[]): string {
    return messageOf(this.snapshot, words);
  }

  devices(): DeviceRange[] {
    const { begin: startSector, sizeSectors } = this.context;
    return [{ device: this.snapshot.origin, startSector, sizeSectors }];
  }

  /** The snapshot that has the exceptions now: another one until this one has taken over. */
  get elder(): Snapshot {
    const [elder = this.snapshot] = this.#origins.sharing(this.snapshot.cow);
    return elder;
  }

  /** Throws a BlockError (EINVAL) while another snapshot may still change the exceptions. */
  preresume(): void {
    refuseEarlyResume(this.snapshot, this.#origins);
  }

  /** Waits, the first time: until no write to the origin is under way. */
  async resume(task: Task): Promise<void> {
    await activate(this.snapshot, this.#origins, task);
  }

  /** Waits: until the snapshot is idle. */
  async destroy(task: Task): Promise<void> {
    const { snapshot } = this;
    this.#origins.remove(snapshot);
    await snapshot.destroy(task);
    this.#origins.release(snapshot.originRecord);
  }
}
