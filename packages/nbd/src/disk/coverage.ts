import type { Bytes } from "@blkstack/bio";

/** In more pieces that lie apart no reply of at most 32 MiB is worth telling. */
const PIECES_MAX = 10_000;

/** Which bytes of a reply have come. Used again and again: steady load makes no garbage. */
export class Coverage {
  /** Begin and end of each piece, in the order of their coming. */
  readonly #edges: number[] = [];
  /** Behind all pieces. */
  #reach: Bytes = 0;
  bytes: Bytes = 0;

  reset(): void {
    this.#edges.length = 0;
    this.#reach = 0;
    this.bytes = 0;
  }

  /** Marks a piece as come. Answers false when some of it had come before, or there are too many. */
  claim(begin: Bytes, end: Bytes): boolean {
    const edges = this.#edges;
    const lastEnd = edges.length - 1;
    if (begin === this.#reach && edges[lastEnd] === begin) edges[lastEnd] = end;
    else {
      if (edges.length === 2 * PIECES_MAX) return false;
      if (begin < this.#reach && this.#overlaps(begin, end)) return false;
      edges.push(begin, end);
    }
    this.#reach = Math.max(this.#reach, end);
    this.bytes += end - begin;
    return true;
  }

  #overlaps(begin: Bytes, end: Bytes): boolean {
    const edges = this.#edges;
    for (let at = 0; at < edges.length; at += 2) {
      if (begin < (edges[at + 1] ?? 0) && (edges[at] ?? 0) < end) return true;
    }
    return false;
  }
}
