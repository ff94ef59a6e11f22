import { type Bio, type BioVec, type Bytes, type Page, SECTOR_BYTES } from "@blkstack/bio";

/** How many bytes of one bio may be changed: a chosen one and a random one. */
const CHANGES_MAX = 2;

/** A byte that is changed, counted from the beginning of a bio. */
export interface Change {
  readonly offset: Bytes;
  readonly value: number;
}

/**
 * Where the memory of a bio is, and room for those pieces of it that are to reach the disk changed:
 * the room comes with the bio, so that a device that garbles needs no memory that could be short.
 */
export class BioMemory {
  #changes: readonly Change[] = [];
  #vecs: readonly BioVec[] = [];
  #vecIndex = 0;
  #vecDoneBytes: Bytes = 0;
  #sizeBytes: Bytes = 0;
  readonly #room: Page = { bytes: new Uint8Array(CHANGES_MAX * SECTOR_BYTES), frame: 0 };

  /** Takes note of a bio: by its end its iterator may have moved. At most two changes. */
  begin({ vecs, vecIndex, vecDoneBytes, sizeBytes }: Bio, changes: readonly Change[]): void {
    this.#changes = changes;
    this.#vecs = vecs;
    this.#vecIndex = vecIndex;
    this.#vecDoneBytes = vecDoneBytes;
    this.#sizeBytes = sizeBytes;
  }

  /** Makes the changes in the memory of the bio itself, if there are any. */
  changeInPlace(): void {
    for (const { offset, value } of this.#changes) {
      let at = 0;
      for (const { page, offset: from, length } of this.#pieces()) {
        if (offset >= at && offset < at + length) page.bytes[from + offset - at] = value;
        at += length;
      }
    }
  }

  /**
   * Has the bio write from a copy of those sectors that are to be changed, and the rest from where
   * it is. The memory of whoever sent it stays as it was.
   */
  divertWrite(bio: Bio): void {
    if (this.#changes.length === 0) return;
    bio.vecs = this.#changedVecs();
    bio.vecIndex = 0;
    bio.vecDoneBytes = 0;
  }

  #changedVecs(): BioVec[] {
    const vecs: BioVec[] = [];
    let at = 0;
    for (const piece of this.#pieces()) {
      const end = at + piece.length;
      for (let from = at; from < end;) {
        const upTo = Math.min(end, this.#nextCut(from));
        const part = { page: piece.page, offset: piece.offset + from - at, length: upTo - from };
        vecs.push(this.#withChanges(part, from));
        from = upTo;
      }
      at = end;
    }
    return vecs;
  }

  /** The stretches of memory of the bio, in order. */
  *#pieces(): IterableIterator<BioVec> {
    let left = this.#sizeBytes;
    let done = this.#vecDoneBytes;
    for (let index = this.#vecIndex; left > 0; index += 1, done = 0) {
      const vec = this.#vecs[index];
      if (vec === undefined) return;
      const length = Math.min(left, vec.length - done);
      yield { page: vec.page, offset: vec.offset + done, length };
      left -= length;
    }
  }

  #withChanges(part: BioVec, at: Bytes): BioVec {
    const changes = this.#changes;
    const sector = Math.floor(at / SECTOR_BYTES);
    const slot = changes.findIndex(({ offset }) => Math.floor(offset / SECTOR_BYTES) === sector);
    if (slot < 0) return part;
    const room = this.#room.bytes;
    const to = slot * SECTOR_BYTES + (at % SECTOR_BYTES);
    room.set(part.page.bytes.subarray(part.offset, part.offset + part.length), to);
    for (const { offset, value } of changes) {
      if (offset >= at && offset < at + part.length) room[to + offset - at] = value;
    }
    return { page: this.#room, offset: to, length: part.length };
  }

  /** Where the next vector must begin: around the sectors with changes. */
  #nextCut(from: Bytes): Bytes {
    let next = Infinity;
    for (const { offset } of this.#changes) {
      const start = offset - (offset % SECTOR_BYTES);
      if (start > from) next = Math.min(next, start);
      else if (start + SECTOR_BYTES > from) next = Math.min(next, start + SECTOR_BYTES);
    }
    return next;
  }
}
