import { type BioVec, invariant, type Page } from "@blkstack/bio";

/** The pages of one copy under way, as memory for I/O. Its vectors are used again and again. */
export class PageBuffer {
  /** One whole page each; those from `pageCount` on mean nothing. */
  readonly vecs: BioVec[] = [];
  #pageCount = 0;

  get pageCount(): number {
    return this.#pageCount;
  }

  add(page: Page): void {
    const vec = this.vecs[this.#pageCount];
    if (vec === undefined) this.vecs.push({ page, offset: 0, length: page.bytes.length });
    else vec.page = page;
    this.#pageCount += 1;
  }

  /** Takes the last page out. */
  pop(): Page {
    this.#pageCount -= 1;
    const vec = this.vecs[this.#pageCount];
    if (vec === undefined) invariant(false, "a page is taken out of an empty buffer");
    return vec.page;
  }
}
