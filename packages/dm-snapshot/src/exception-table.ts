import { invariant } from "@blkstack/bio";
import { DenseGroups } from "./dense-groups.ts";
import { GROUP_CHUNKS } from "./exception-bucket.ts";
import { RemoveResult, type RunVisitor } from "./exception-run.ts";
import { ExceptionShard } from "./exception-shard.ts";
import { hashOfGroup } from "./group-hash.ts";

/** Chunk numbers below this fit; a device of 128 PiB has no more, even in chunks of one sector. */
export const CHUNK_LIMIT: number = 2 ** 48;

/** A shard with so many buckets (512 KiB) is split rather than grown: no insert moves more. */
const SHARD_BUCKETS = 8192;
const DEEPEST = 24;
const POINTER_BYTES = 8;

/**
 * Where the chunks of an origin lie on the COW device: old chunk → new chunk.
 *
 * Made for tens of millions of them: typed arrays, no object for an exception, at most 16 bytes for
 * one in a large table, also while it grows. Chunks next to each other that moved to places next to
 * each other share what one costs. What grows is a part of the table at a time, so that no insert
 * takes longer than moving some 50,000 entries.
 */
export class ExceptionTable {
  #dense = new DenseGroups();
  /** By the top `#depth` bits of the hash; a shard of less depth stands in several places. */
  #directory: ExceptionShard[] = [];
  #depth = 0;
  #size = 0;

  constructor() {
    this.clear();
  }

  /** How many exceptions there are. */
  get size(): number {
    return this.#size;
  }

  /** How many entries they take: a run of neighbours takes one, so does a full group of eight. */
  get runs(): number {
    return this.#shards().reduce((sum, shard) => sum + shard.slots, 0);
  }

  /** All arrays, used or not. */
  get memoryBytes(): number {
    const shardBytes = this.#shards().reduce((sum, shard) => sum + shard.memoryBytes, 0);
    return shardBytes + this.#dense.memoryBytes + this.#directory.length * POINTER_BYTES;
  }

  /** The new chunk of an old one, or -1. Waits: never. */
  lookup(oldChunk: number): number {
    const group = Math.floor(oldChunk / GROUP_CHUNKS);
    const hash = hashOfGroup(group);
    const shard = this.#directory[this.#indexOf(hash)];
    return shard === undefined ? -1 : shard.lookup(hash, group, oldChunk & (GROUP_CHUNKS - 1));
  }

  /**
   * Maps an old chunk to a new one. False when it is mapped already: the first mapping stays.
   *
   * Throws an `InvariantError` for a chunk that is not below `CHUNK_LIMIT`.
   */
  insert(oldChunk: number, newChunk: number): boolean {
    assertFits("old", oldChunk);
    assertFits("new", newChunk);
    const group = Math.floor(oldChunk / GROUP_CHUNKS);
    const hash = hashOfGroup(group);
    const shard = this.#roomFor(hash);
    if (!shard.insert(hash, group, oldChunk & (GROUP_CHUNKS - 1), newChunk)) return false;
    this.#size += 1;
    return true;
  }

  /**
   * Takes an exception out, as a merge does: the newest first, so always one at the end of its run.
   * Anything else is refused, since whoever asks for it has lost count.
   */
  remove(oldChunk: number): RemoveResult {
    const group = Math.floor(oldChunk / GROUP_CHUNKS);
    const hash = hashOfGroup(group);
    const shard = this.#directory[this.#indexOf(hash)];
    const result = shard?.remove(hash, group, oldChunk & (GROUP_CHUNKS - 1)) ?? RemoveResult.Absent;
    if (result === RemoveResult.Removed) this.#size -= 1;
    return result;
  }

  /** Tells of all exceptions, run by run, in no order. */
  forEachRun(visit: RunVisitor): void {
    for (const shard of this.#shards()) shard.forEachRun(visit);
  }

  clear(): void {
    this.#dense = new DenseGroups();
    this.#directory = [new ExceptionShard(0, 0, this.#dense)];
    this.#depth = 0;
    this.#size = 0;
  }

  #indexOf(hash: number): number {
    // In two steps, since a shift by 32 is none.
    return (hash >>> 1) >>> (31 - this.#depth);
  }

  /** The shard of a hash, after it grew or was split if it had to. */
  #roomFor(hash: number): ExceptionShard {
    for (;;) {
      const shard = this.#directory[this.#indexOf(hash)];
      invariant(shard !== undefined, "an exception table without its shard");
      if (!shard.isFull) return shard;
      if (shard.buckets < SHARD_BUCKETS || shard.depth >= DEEPEST) shard.grow();
      else this.#split(shard, this.#indexOf(hash));
    }
  }

  #split(shard: ExceptionShard, index: number): void {
    let at = index;
    if (shard.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((each) => [each, each]);
      this.#depth += 1;
      at *= 2;
    }
    const places = 2 ** (this.#depth - shard.depth);
    const first = at - (at % places);
    const [zero, one] = shard.split();
    this.#directory.fill(zero, first, first + places / 2);
    this.#directory.fill(one, first + places / 2, first + places);
  }

  #shards(): ExceptionShard[] {
    return [...new Set(this.#directory)];
  }
}

function assertFits(which: string, chunk: number): void {
  invariant(
    Number.isInteger(chunk) && chunk >= 0 && chunk < CHUNK_LIMIT,
    `${which} chunk ${String(chunk)} does not fit into an exception table`,
  );
}
