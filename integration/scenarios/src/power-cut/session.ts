import { type Bio, BioFlag, BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { VolatileCache, type World } from "@blkstack/explorer";
import { submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";
import { originTag, ownTag, sectorFullOf, sourceOf } from "./contents.ts";
import type { Machine } from "./machine.ts";
import type { Workload } from "./workloads.ts";

type DeviceName = "base" | "snap";

/** What a writer does; each waits for its end. */
export interface Writing {
  /** Fills sectors with `tag`, `tag` + 1 and so on. */
  readonly write: (
    device: DeviceName,
    range: readonly [sector: Sectors, sectors: Sectors],
    tag: number,
    flags?: number,
  ) => Promise<void>;
  readonly flush: (device: DeviceName) => Promise<void>;
}

/** Those who use the devices, and what they were promised. */
export class Session {
  readonly base: VolatileCache;
  readonly snap: VolatileCache;
  /** Whether the store may have been too small by now. */
  mayBeInvalid = false;
  readonly #world: World;
  readonly #machine: Machine;

  constructor(world: World, machine: Machine, { ownChunks, chunkSectors }: Workload) {
    this.#world = world;
    this.#machine = machine;
    const own = new Set(ownChunks);
    this.base = new VolatileCache("base", sourceOf(originTag));
    const snapshotTag = (sector: Sectors): number =>
      own.has(Math.floor(sector / chunkSectors)) ? ownTag(sector) : originTag(sector);
    this.snap = new VolatileCache("snap", sourceOf(snapshotTag));
  }

  writer(name: string, body: (writing: Writing) => Promise<void>): void {
    this.#world.spawn(name, (task) =>
      body({
        write: (device, [sector, sectors], tag, flags = 0) => {
          const bytes = new Uint8Array(sectors * SECTOR_BYTES);
          for (let at = 0; at < sectors; at += 1)
            bytes.set(sectorFullOf(tag + at), at * SECTOR_BYTES);
          const bio = this.#machine.bioOf(device, { op: BioOp.Write, sector, bytes, flags });
          return this.#send(device, bio, task);
        },
        flush: (device) => {
          const bio = this.#machine.bioOf(device, {
            op: BioOp.Write,
            sector: 0,
            bytes: new Uint8Array(0),
            flags: BioFlag.Preflush,
          });
          return this.#send(device, bio, task);
        },
      }),
    );
  }

  async #send(device: DeviceName, bio: Bio, task: Task): Promise<void> {
    const cache = this[device];
    cache.submitted(bio);
    const status = await submitAndWait(this.#machine.submitter, bio, task);
    if (status === BioStatus.Ok) cache.acknowledged(bio);
  }
}
