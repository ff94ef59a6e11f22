import type { Bio, BioVec, Bytes } from "@blkstack/bio";
import type { IoRecord } from "./io-record.ts";

/** What a bio of dm-io carries with it: whose it is, and where its memory was when it was sent. */
export class SentPart {
  record: IoRecord | null = null;
  regionIndex = 0;
  #vecs: readonly BioVec[] = [];
  #vecIndex = 0;
  #vecDoneBytes: Bytes = 0;
  #sizeBytes: Bytes = 0;

  remember(bio: Bio, record: IoRecord, regionIndex: number): void {
    this.record = record;
    this.regionIndex = regionIndex;
    this.#vecs = bio.vecs;
    this.#vecIndex = bio.vecIndex;
    this.#vecDoneBytes = bio.vecDoneBytes;
    this.#sizeBytes = bio.sizeBytes;
  }

  /** Zeroes the memory of the bio, whose iterator has moved meanwhile. */
  zeroMemory(): void {
    let left = this.#sizeBytes;
    let done = this.#vecDoneBytes;
    for (let index = this.#vecIndex; left > 0; index += 1, done = 0) {
      const vec = this.#vecs[index];
      if (vec === undefined) return;
      const bytes = Math.min(left, vec.length - done);
      const start = vec.offset + done;
      vec.page.bytes.fill(0, start, start + bytes);
      left -= bytes;
    }
  }
}
