import type { BlockClient } from "../block-client.ts";
import { Errno } from "../raw-protocol.ts";

const BLOCK_BYTES = 4096;
const WRITERS = 16;
const FLUSH_EVERY = 24;

/** What a block is known to hold: counted up with each write of it, 0 before the first. */
interface Known {
  /** Of the last write that a flush was answered behind. */
  flushed: number;
  /** Of the last write that was answered. */
  answered: number;
  /** Of the last write that was sent. */
  sent: number;
}

export interface Verified {
  readonly bytes: number;
  /** Blocks that hold something older than a flush was answered behind. */
  readonly lost: number;
  /** Blocks that hold something older than was answered, which only a flush promises to keep. */
  readonly unflushed: number;
  /** Blocks that hold what was never written there, or parts of two writes. */
  readonly mixed: number;
}

/**
 * The blocks of one export, written until its server is gone, with flushes in between; and then
 * compared with what its next server has.
 */
export class FlushedBlocks {
  readonly #known: Known[];
  #next = 0;

  constructor(count: number) {
    this.#known = Array.from({ length: count }, () => ({ flushed: 0, answered: 0, sent: 0 }));
  }

  /** Flushes that were answered. */
  flushes = 0;
  /** Writes that were sent and never answered. */
  broken = 0;

  /** Writes for as long as there is a server. */
  async writeUntilGone(client: BlockClient): Promise<void> {
    let [isGone, written] = [false, 0];
    const write = async (): Promise<void> => {
      while (!isGone) {
        // A step that has no factor in common with their number: each in turn, but not in order.
        const index = (this.#next * 1021) % this.#known.length;
        this.#next += 1;
        const block = this.#known[index];
        if (block === undefined) throw new RangeError("no such block");
        block.sent += 1;
        const answer = await client.write(index * BLOCK_BYTES, blockOf(index, block.sent));
        if (answer === null) {
          isGone = true;
          this.broken += 1;
          return;
        }
        if (answer.errno !== Errno.Ok)
          throw new Error(`a write ended with ${String(answer.errno)}`);
        block.answered = block.sent;
        written += 1;
        if (written % FLUSH_EVERY === 0) await this.#flush(client);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
  }

  /** Compares all blocks, and takes what is there for what is known from now on. */
  async verify(client: BlockClient): Promise<Verified> {
    let [lost, unflushed, mixed] = [0, 0, 0];
    const step = 256;
    for (let first = 0; first < this.#known.length; first += step) {
      const count = Math.min(step, this.#known.length - first);
      const answer = await client.read(first * BLOCK_BYTES, count * BLOCK_BYTES);
      if (answer?.errno !== Errno.Ok) throw new Error(`a read ended with ${String(answer?.errno)}`);
      for (let index = first; index < first + count; index += 1) {
        const known = this.#known[index];
        if (known === undefined) continue;
        const at = (index - first) * BLOCK_BYTES;
        const found = answer.bytes.subarray(at, at + BLOCK_BYTES);
        const value = found.readUInt32LE(4);
        if (value > known.sent || !found.equals(blockOf(index, value))) mixed += 1;
        else if (value < known.flushed) lost += 1;
        else if (value < known.answered) unflushed += 1;
        known.flushed = known.answered = known.sent = value;
      }
    }
    return { bytes: this.#known.length * BLOCK_BYTES, lost, unflushed, mixed };
  }

  async #flush(client: BlockClient): Promise<void> {
    const answered = this.#known.map((known) => known.answered);
    const answer = await client.flush();
    if (answer?.errno !== Errno.Ok) return;
    this.flushes += 1;
    for (const [index, value] of answered.entries()) {
      const known = this.#known[index];
      if (known !== undefined) known.flushed = Math.max(known.flushed, value);
    }
  }
}

/** A block says everywhere which one it is, and which write of it. */
function blockOf(index: number, value: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  if (value === 0) return bytes;
  const mark = Buffer.alloc(8);
  mark.writeUInt32LE(index);
  mark.writeUInt32LE(value, 4);
  return bytes.fill(mark);
}
