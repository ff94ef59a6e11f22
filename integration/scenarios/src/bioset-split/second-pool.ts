import type { Bio } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import type { Mempool } from "@blkstack/mempool";
import type { EndsBy, Waitable } from "@blkstack/task";

/** What a driver keeps with a bio, from a pool of its own instead of the bio's pad. */
export class PieceData implements Waitable {
  readonly label = "data of a piece";
  piece: Bio | null = null;

  get endsBy(): EndsBy | undefined {
    return this.piece === null ? undefined : "any";
  }

  blockers(): readonly object[] {
    return this.piece === null ? [] : [this.piece];
  }
}

/** Gives the data of a bio back when the bio comes back. */
export class BioSetWithData extends BioSet {
  readonly #data = new Map<Bio, { pool: Mempool<PieceData>; data: PieceData | null }>();

  attach(piece: Bio, pool: Mempool<PieceData>, data: PieceData | null): void {
    if (data !== null) data.piece = piece;
    this.#data.set(piece, { pool, data });
  }

  override release(bio: Bio): void {
    const attached = this.#data.get(bio);
    this.#data.delete(bio);
    super.release(bio);
    attached?.pool.free(attached.data);
  }
}
