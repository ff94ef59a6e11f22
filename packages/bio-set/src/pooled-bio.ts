import { Bio, type BioVec, createVecs } from "@blkstack/bio";
import type { EndsBy, Task, Waitable } from "@blkstack/task";

/** A bio as a set hands it out: with what the set must remember until it comes back. */
export class PooledBio extends Bio {
  /** Whether nobody has it. False while it is in use: of a boolean, false is the quick one to ask. */
  isFree = true;
  /** Who allocated it, and is to submit it; for the wait-for graph, which goes on from there. */
  allocatedBy: Task | null = null;
  /** Where its vectors come from; null when they are its inline ones, or another bio's. */
  table: VecTable | null = null;
}

/** Where a table of vectors goes back to. */
interface VecHome {
  free(table: VecTable): void;
}

/** Vectors for a bio that needs more than its inline ones. */
export class VecTable implements Waitable {
  readonly label = "table of vectors";
  readonly vecs: BioVec[];
  /** The slab or pool that it was really taken from, which need not be the one for its size. */
  home: VecHome | null = null;
  holder: PooledBio | null = null;

  constructor(vecCount: number) {
    this.vecs = createVecs(vecCount);
  }

  get endsBy(): EndsBy | undefined {
    return this.holder === null ? undefined : "any";
  }

  /** The bio that uses it. */
  blockers(): readonly object[] {
    return this.holder === null ? [] : [this.holder];
  }
}
