import { type Bio, BioList, BioOp } from "@blkstack/bio";

/**
 * The commands of a loop device: those that wait, first come first served, and those that workers
 * have taken. It takes no memory of its own, so it is as long as there are bios.
 *
 * Two commands of which one writes what the other touches are never under way together, so that
 * any number of workers leave the same data as one.
 */
export class CommandQueue implements Iterable<Bio> {
  readonly #waiting = new BioList();
  readonly #underWay: Bio[] = [];

  get isEmpty(): boolean {
    return this.#waiting.isEmpty && this.#underWay.length === 0;
  }

  /** Whether a worker could take a command now. */
  get hasNext(): boolean {
    const { head } = this.#waiting;
    return head !== null && !this.#underWay.some((bio) => collide(bio, head));
  }

  add(bio: Bio): void {
    this.#waiting.add(bio);
  }

  /** The first command, now under way; null when there is none, or while it must wait for another. */
  take(): Bio | null {
    if (!this.hasNext) return null;
    const bio = this.#waiting.pop();
    if (bio !== null) this.#underWay.push(bio);
    return bio;
  }

  /** The command is over. */
  finish(bio: Bio): void {
    this.#underWay.splice(this.#underWay.indexOf(bio), 1);
  }

  *[Symbol.iterator](): IterableIterator<Bio> {
    yield* this.#underWay;
    yield* this.#waiting;
  }
}

function collide(one: Bio, other: Bio): boolean {
  if (one.op === BioOp.Read && other.op === BioOp.Read) return false;
  return one.sector < other.endSector && other.sector < one.endSector;
}
