import { type Bio, BioOp } from "@blkstack/bio";
import type { Random } from "@blkstack/task";
import type { Change } from "./bio-memory.ts";
import { CHANCES, type Features } from "./features.ts";

const BYTE_VALUES = 256;
const NO_CHANGES: readonly Change[] = [];

/** Says which bytes are changed on their way: a chosen one of each bio, or by chance one of some. */
export class Corrupter {
  readonly #features: Features;
  readonly #random: Random;

  constructor(features: Features, random: Random) {
    this.#features = features;
    this.#random = random;
  }

  /** Whether any bio may be changed. */
  get isNeeded(): boolean {
    const { corruption, randomReads, randomWrites } = this.#features;
    return corruption !== null || randomReads !== null || randomWrites !== null;
  }

  /** What is to be changed in a bio that came while the device was down. */
  changesOf(bio: Bio): readonly Change[] {
    if (!bio.hasData) return NO_CHANGES;
    const changes = [this.#chosen(bio), this.#byChance(bio)].filter((each) => each !== null);
    return changes.length === 0 ? NO_CHANGES : changes;
  }

  #chosen(bio: Bio): Change | null {
    const { corruption } = this.#features;
    if (corruption === null || corruption.byteNumber > bio.sizeBytes) return null;
    const { byteNumber, ofWrites, value, flagMask } = corruption;
    if (ofWrites === (bio.op === BioOp.Read)) return null;
    // As the bits of a signed number, which is what they are compared as.
    const hasAllFlags = ((bio.flags | bio.op) & flagMask) === (flagMask | 0);
    return hasAllFlags ? { offset: byteNumber - 1, value } : null;
  }

  #byChance(bio: Bio): Change | null {
    const { randomReads, randomWrites } = this.#features;
    const chances = (bio.op === BioOp.Read ? randomReads : randomWrites) ?? 0;
    if (chances === 0 || this.#random.below(CHANCES) >= chances) return null;
    const offset = this.#random.below(bio.sizeBytes);
    return { offset, value: this.#random.below(BYTE_VALUES) };
  }
}
