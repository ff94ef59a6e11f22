import { BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { DiskRig, firstBytes, LateDisk, type Range, type SentBio } from "@blkstack/conformance";
import type { DeviceMapperOptions } from "@blkstack/device-mapper";
import type { Scheduler, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type SnapshotPolicies, snapshotTargets } from "../src/index.ts";

/** A device mapper that knows the snapshot targets, over disks that are late. */
export class Rig<AScheduler extends Scheduler = Scheduler> extends DiskRig<AScheduler> {
  #diskCount = 0;

  constructor(
    scheduler: AScheduler,
    policies: Partial<SnapshotPolicies> = {},
    mapper: Partial<DeviceMapperOptions> = {},
  ) {
    const { snapshot, snapshotMerge, snapshotOrigin } = snapshotTargets(policies);
    super(scheduler, { types: [snapshot, snapshotMerge, snapshotOrigin], mapper });
  }

  disk(name: string, sizeSectors: number): LateDisk {
    const deviceNumber = `7:${String(this.#diskCount)}`;
    this.#diskCount += 1;
    const { scheduler } = this;
    return this.add(new LateDisk({ name, deviceNumber, sizeSectors, scheduler }));
  }

  /** A bio that is not sent yet. Writes fill each sector with `byte`. */
  bio(device: BlockDevice, op: BioOp, range: Range, byte = 0): SentBio {
    return this.bioTo(device, op, range, { byte });
  }
}

/** A rig in virtual time, for tests that tell a story step by step. */
export class Bench extends Rig<VirtualScheduler> {
  constructor(policies: Partial<SnapshotPolicies> = {}) {
    super(new VirtualScheduler({ isExploring: false }), policies);
  }

  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return this.scheduler.perform("commands", body);
  }

  /** Makes a device and goes live with it. */
  async create(name: string, table: string): Promise<void> {
    await this.perform((task) => this.dm.create(name, task, { table }));
  }

  /** Gives a device another table and goes live with that. */
  async reload(name: string, table: string): Promise<void> {
    await this.perform(async (task) => {
      await this.dm.load(name, table, task);
      await this.dm.suspend(name, task);
      await this.dm.resume(name, task);
    });
  }

  /** Sends a bio in a task of its own, and runs until nothing moves. */
  async start(name: string, op: BioOp, range: Range, byte = 0): Promise<SentBio> {
    const sent = this.bio(this.dm.get(name), op, range, byte);
    this.scheduler.spawn("sender", (task) => this.submitter.submitBio(sent.bio, task));
    await this.scheduler.run();
    return sent;
  }

  /** Writes, and answers how that ended. */
  async write(name: string, sector: number, sectors: number, byte: number): Promise<BioStatus> {
    const sent = await this.start(name, BioOp.Write, { sector, sectors }, byte);
    return endOf(sent);
  }

  /** Reads, and answers what each sector was filled with; null: it failed. */
  async read(name: string, sector: number, sectors: number): Promise<number[] | null> {
    const sent = await this.start(name, BioOp.Read, { sector, sectors }, 0xee);
    return endOf(sent) === BioStatus.Ok ? fillOf(sent) : null;
  }

  async discard(name: string, sector: number, sectors: number): Promise<BioStatus> {
    return endOf(await this.start(name, BioOp.Discard, { sector, sectors }));
  }

  /** The status of a device, without the place: `24/1024 16`. */
  status(name: string): string {
    return this.dm
      .status(name)
      .join("; ")
      .replace(/^\d+ \d+ [\w-]+ /, "");
  }

  /** A number of what the message `stats` answers. */
  async stat(name: string, what: string): Promise<number> {
    const text = await this.perform((task) => this.dm.message(name, 0, ["stats"], task));
    return Number(new RegExp(`(?:^| )${what} (\\S+)`).exec(text)?.[1]);
  }
}

/** How a bio ended; throws when it has not, or more than once. */
export function endOf({ status, ends, bio }: SentBio): BioStatus {
  if (ends !== 1 || status === null)
    throw new Error(`${bio.toString()} ended ${String(ends)} times`);
  return status;
}

/** What each sector of a bio is filled with; throws when a sector is torn. */
export function fillOf({ bytes }: SentBio): number[] {
  const fill = firstBytes(bytes);
  for (const [index, byte] of fill.entries()) {
    const sector = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
    if (sector.some((other) => other !== byte)) throw new Error(`sector ${String(index)} is torn`);
  }
  return fill;
}
