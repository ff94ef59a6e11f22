import { type Bio, BioOp } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import type { World } from "@blkstack/explorer";
import { type Access, AccessMode } from "@blkstack/task";

/** A disk that looks at its data only when a read ends, as a slow one may. */
export class LateReads extends RamDisk {
  readonly #world: World;
  readonly #use: Access;

  constructor(world: World, name: string, sizeSectors: number) {
    super({ name, sizeSectors, scheduler: world.scheduler });
    this.#world = world;
    this.#use = { object: { label: name }, mode: AccessMode.Write, label: `data of ${name}` };
  }

  override submitBio(bio: Bio): void {
    if (bio.op === BioOp.Read) {
      this.#world.scheduler.raise(this, bio);
      return;
    }
    this.#world.scheduler.touch(this.#use);
    super.submitBio(bio);
  }

  override handleInterrupt(bio: Bio): void {
    if (bio.op === BioOp.Read) {
      this.#world.scheduler.touch(this.#use);
      this.peekInto(bio);
    }
    super.handleInterrupt(bio);
  }

  private peekInto(bio: Bio): void {
    const bytes = new Uint8Array(bio.sizeBytes);
    this.peek(bio.sector, bytes);
    let offset = 0;
    let skip = bio.vecDoneBytes;
    for (let index = bio.vecIndex; offset < bytes.length; index += 1, skip = 0) {
      const vec = bio.vecs[index];
      if (vec === undefined) throw new RangeError("a bio is longer than its vectors");
      const count = Math.min(bytes.length - offset, vec.length - skip);
      vec.page.bytes.set(bytes.subarray(offset, offset + count), vec.offset + skip);
      offset += count;
    }
  }
}
