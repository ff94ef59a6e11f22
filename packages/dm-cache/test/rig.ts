import { Bio, BioFlag, BioOp, type BioStatus, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { DiskRig } from "@blkstack/conformance";
import { submitAndWait } from "@blkstack/make-request";
import type { MemoryOptions } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { cache } from "../src/index.ts";

/** A device mapper that knows the cache, and who sends bios to the device `c`. */
export class Rig extends DiskRig {
  constructor(scheduler: Scheduler, memory: Omit<MemoryOptions, "scheduler"> = {}) {
    super(scheduler, { types: [cache], memory });
  }

  /** A bio for the device `c`. */
  bio(op: BioOp, sector: number, bytes: Uint8Array, flags = 0): Bio {
    const bio = new Bio();
    bio.device = this.dm.get("c");
    bio.op = op;
    bio.sector = sector;
    bio.flags = flags;
    if (op === BioOp.Read || op === BioOp.Write) {
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      if (bytes.length > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    } else {
      bio.sizeBytes = bytes.length;
    }
    return bio;
  }

  /** Sends a bio. Waits: until it has ended. */
  perform(bio: Bio, task: Task): Promise<BioStatus> | BioStatus {
    return submitAndWait(this.submitter, bio, task);
  }

  /** Fills sectors with a byte. */
  write(
    sector: number,
    sectors: number,
    byte: number,
    task: Task,
    flags = 0,
  ): Promise<BioStatus> | BioStatus {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
    return this.perform(this.bio(BioOp.Write, sector, bytes, flags), task);
  }

  /** What each sector is full of; -1: of several things, or not read. */
  async read(sector: number, sectors: number, task: Task): Promise<number[]> {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(0xee);
    const status = await this.perform(this.bio(BioOp.Read, sector, bytes), task);
    return Array.from({ length: sectors }, (_, index) => {
      const part = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
      const [first = -1] = part;
      return status === 0 && part.every((byte) => byte === first) ? first : -1;
    });
  }

  range(op: BioOp, sector: number, sectors: number, task: Task): Promise<BioStatus> | BioStatus {
    return this.perform(this.bio(op, sector, new Uint8Array(sectors * SECTOR_BYTES)), task);
  }

  flush(task: Task): Promise<BioStatus> | BioStatus {
    const nothing = new Uint8Array(0);
    return this.perform(this.bio(BioOp.Write, 0, nothing, BioFlag.Preflush), task);
  }
}
