import { type Bio, BioList, type BioStatus } from "@blkstack/bio";
import type { FileData } from "./file-data.ts";

/**
 * Reads of what is not in the page cache. A thread for each costs more than the read itself, so one
 * goes to a thread and waits there for the disk. For the others the system is asked to read ahead,
 * which it does beside that; when the one is done they look whether theirs has come.
 */
export class ColdReads {
  readonly #data: FileData;
  readonly #ended: (bio: Bio, status: BioStatus) => void;
  readonly #followers = new BioList();
  #isLed = false;

  constructor(data: FileData, ended: (bio: Bio, status: BioStatus) => void) {
    this.#data = data;
    this.#ended = ended;
  }

  /** Takes a read; it ends later. */
  add(bio: Bio): void {
    if (!this.#isLed) {
      this.#lead(bio);
      return;
    }
    this.#data.readAhead(bio);
    this.#followers.add(bio);
  }

  #lead(bio: Bio): void {
    this.#isLed = true;
    this.#data.start(bio, (status) => {
      this.#isLed = false;
      this.#ended(bio, status);
      this.#follow();
    });
  }

  /** Somebody always leads while anybody follows: what was read ahead may be gone again. */
  #follow(): void {
    const { size } = this.#followers;
    for (let looks = 0; looks < size; looks += 1) {
      const bio = this.#followers.pop();
      if (bio === null) break;
      const status = this.#data.moveNow(bio);
      if (status !== null) this.#ended(bio, status);
      else if (!this.#isLed) this.#lead(bio);
      else this.#followers.add(bio);
    }
  }
}
