import { type Bio, BioOp, bioViews } from "@blkstack/bio";
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
    let at = 0;
    for (const view of bioViews(bio)) {
      view.set(bytes.subarray(at, at + view.length));
      at += view.length;
    }
  }
}
