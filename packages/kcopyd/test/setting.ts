import { type Bio, BioOp, BioStatus, type Sectors } from "@blkstack/bio";
import { type Faults, RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, PageAllocator } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import {
  type CopyListener,
  type IoRegion,
  KcopydClient,
  type KcopydClientOptions,
} from "../src/index.ts";

/** How one copy ended. */
export type Outcome = readonly [readErrors: number, writeErrors: number];

/** Everything that a copier stands on, in memory. */
export class Setting {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly pages: PageAllocator;
  readonly submitter: MakeRequest;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    this.pages = new PageAllocator({ memory: this.memory, limitPages: 1024, label: "pages" });
    const sets = new SplitSetPerDevice({ scheduler, memory: this.memory });
    this.submitter = new MakeRequest({ split: sets });
  }

  disk(name: string, options: Partial<RamDiskOptions> = {}): RamDisk {
    return new RamDisk({ name, sizeSectors: 8192, scheduler: this.scheduler, ...options });
  }

  client(options: Partial<KcopydClientOptions> = {}): KcopydClient {
    return new KcopydClient({ name: "k", ...this.parts(), ...options });
  }

  parts(): Omit<KcopydClientOptions, "name"> {
    const { scheduler, memory, pages, submitter } = this;
    return { scheduler, memory, pages, submitter };
  }
}

/** Writes down how copies ended. */
export class Outcomes implements CopyListener {
  readonly all: Outcome[] = [];

  copyEnded(readErrors: number, writeErrors: number): void {
    this.all.push([readErrors, writeErrors]);
  }
}

/** Does something when a copy has ended. */
export function whenCopied(
  copyEnded: (task: Task, outcome: Outcome) => Promise<void> | void,
): CopyListener {
  return {
    copyEnded: (readErrors, writeErrors, task) => copyEnded(task, [readErrors, writeErrors]),
  };
}

export function regionOf(device: RamDisk, sector: Sectors, sectors: Sectors): IoRegion {
  return { device, sector, sectors };
}

/** The first byte from `sector` on that is not as expected; -1: all are. */
export function differsAt(disk: RamDisk, sector: Sectors, expected: Uint8Array): number {
  const bytes = new Uint8Array(expected.length);
  disk.peek(sector, bytes);
  return bytes.findIndex((byte, index) => byte !== expected[index]);
}

/** Lets everything pass, and writes it down: `READ [0..8)`. */
export class Watching implements Faults {
  readonly seen: string[] = [];

  statusOf(bio: Bio): BioStatus {
    const op = bio.op === BioOp.Read ? "READ" : bio.op === BioOp.Write ? "WRITE" : String(bio.op);
    this.seen.push(`${op} [${String(bio.sector)}..${String(bio.endSector)})`);
    return BioStatus.Ok;
  }
}
