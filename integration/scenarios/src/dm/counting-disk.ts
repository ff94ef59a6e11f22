import { type Bio, BioOp } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import type { World } from "@blkstack/explorer";
import { type Access, AccessMode, type Scheduler } from "@blkstack/task";

/** A disk that knows how often each of its sectors was written, and how many bios it has. */
export class CountingDisk extends RamDisk {
  #underWay = 0;
  readonly #scheduler: Scheduler;
  readonly #use: Access;
  readonly #writes: number[];

  constructor(world: World, name: string, sizeSectors: number) {
    super({ name, sizeSectors, scheduler: world.scheduler });
    this.#scheduler = world.scheduler;
    this.#use = { object: { label: name }, mode: AccessMode.Write, label: `count in ${name}` };
    this.#writes = new Array<number>(sizeSectors).fill(0);
  }

  /** Bios that came and have not ended. */
  get underWay(): number {
    this.#scheduler.touch(this.#use);
    return this.#underWay;
  }

  override submitBio(bio: Bio): void {
    this.#scheduler.touch(this.#use);
    this.#underWay += 1;
    if (bio.op === BioOp.Write) {
      for (let sector = bio.sector; sector < bio.endSector; sector += 1) {
        this.#writes[sector] = (this.#writes[sector] ?? 0) + 1;
      }
    }
    super.submitBio(bio);
  }

  override handleInterrupt(bio: Bio): void {
    this.#scheduler.touch(this.#use);
    this.#underWay -= 1;
    super.handleInterrupt(bio);
  }

  /** Complains of sectors up to `end` that were not written exactly once. */
  *complaints(end: number): Iterable<string> {
    for (const [sector, count] of this.#writes.entries()) {
      if (sector >= end || count === 1) continue;
      yield `sector ${String(sector)} of ${this.name} was written ${String(count)} times`;
      return;
    }
  }
}
