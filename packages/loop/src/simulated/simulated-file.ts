import type { Bytes } from "@blkstack/bio";
import { type Access, AccessMode, type Gfp, GFP_NOFS, type Task } from "@blkstack/task";
import { type BackingFile, EOPNOTSUPP, type FileRange } from "../backing-file.ts";
import type { Change, SimulatedFilesystem } from "./filesystem.ts";

/** How a file behaves where filesystems differ. */
export interface SimulatedFileOptions {
  readonly isReadOnly?: boolean;
  /** Pages that a change takes for its data; one for each block that it touches, unless told. */
  readonly cachePages?: number;
  /** The mask for these; a loop device narrows it while it stands on the file. NOFS unless told. */
  readonly cacheGfp?: Gfp;
  /** Pages that a change takes for everything else; none unless told. */
  readonly otherPages?: number;
  /** The mask for these, which only the scopes of the task narrow. NOFS unless told. */
  readonly otherGfp?: Gfp;
  /** When a change takes its pages; `in-transaction` unless told. */
  readonly allocates?: "before-transaction" | "in-transaction";
  /** Whether ranges can be given back; true unless told. */
  readonly hasHoles?: boolean;
}

const EIO = -5;
const ENOSPC = -28;

/** A file of a `SimulatedFilesystem`. What was never written, or given back, reads as zeroes. */
export class SimulatedFile implements BackingFile {
  readonly label: string;
  readonly kind = "regular";
  readonly isReadOnly: boolean;
  pageCacheGfp: Gfp;
  readonly #filesystem: SimulatedFilesystem;
  readonly #options: SimulatedFileOptions;
  /** Which block of the filesystem has which block of the file. */
  readonly #blocks = new Map<number, number>();
  readonly #reads: Access;
  readonly #writes: Access;
  #sizeBytes: Bytes = 0;

  constructor(filesystem: SimulatedFilesystem, name: string, options: SimulatedFileOptions) {
    this.label = `"${name}" of ${filesystem.name}`;
    this.isReadOnly = options.isReadOnly ?? false;
    this.pageCacheGfp = options.cacheGfp ?? GFP_NOFS;
    this.#filesystem = filesystem;
    this.#options = options;
    this.#reads = { object: this, mode: AccessMode.Read, label: `read ${this.label}` };
    this.#writes = { object: this, mode: AccessMode.Write, label: `write ${this.label}` };
  }

  get sizeBytes(): Bytes {
    return this.#sizeBytes;
  }

  /** Takes no lock. Waits: for what lies below. */
  async read(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Promise<number> {
    task.scheduler.touch(this.#reads);
    const lengthBytes = Math.min(lengthOf(views), this.#sizeBytes - offsetBytes);
    if (lengthBytes <= 0) return 0;
    const bytes = new Uint8Array(lengthBytes);
    for (const piece of this.#pieces({ offsetBytes, lengthBytes })) {
      const block = await this.#readBlock(piece.index, task);
      if (typeof block === "number") return piece.doneBytes > 0 ? piece.doneBytes : block;
      bytes.set(block.subarray(piece.start, piece.end), piece.doneBytes);
    }
    scatter(bytes, views);
    return lengthBytes;
  }

  /** Waits: for the transaction, for pages, and for what lies below. */
  write(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Promise<number> {
    const bytes = gather(views);
    const range = { offsetBytes, lengthBytes: bytes.length };
    return this.#change(range, () => this.#writeAll(bytes, offsetBytes, task), task);
  }

  /** Everything was written out already; so only what lies below is flushed. Waits: for that. */
  async sync(task: Task): Promise<number> {
    return this.#filesystem.lower.sync(task);
  }

  /** Waits: as `write`. */
  async punchHole(range: FileRange, task: Task): Promise<number> {
    if (this.#options.hasHoles === false) return EOPNOTSUPP;
    return this.#change(range, () => this.#zero(range, true, task), task);
  }

  /** Waits: as `write`. */
  async zeroRange(range: FileRange, mayFree: boolean, task: Task): Promise<number> {
    if (this.#options.hasHoles === false) return EOPNOTSUPP;
    const work = async (): Promise<number> => {
      const outcome = await this.#zero(range, mayFree, task);
      if (outcome === 0) this.#growTo(range.offsetBytes + range.lengthBytes, task);
      return outcome;
    };
    return this.#change(range, work, task);
  }

  /** Makes the file longer by a hole, or cuts it off. Waits: as `write`. */
  async truncate(sizeBytes: Bytes, task: Task): Promise<number> {
    const range = { offsetBytes: sizeBytes, lengthBytes: 0 };
    const work = async (): Promise<number> => {
      const lengthBytes = this.#sizeBytes - sizeBytes;
      const cut = { offsetBytes: sizeBytes, lengthBytes: Math.max(0, lengthBytes) };
      const outcome = await this.#zero(cut, true, task);
      task.scheduler.touch(this.#writes);
      if (outcome === 0) this.#sizeBytes = sizeBytes;
      return outcome;
    };
    return this.#change(range, work, task);
  }

  #change(range: FileRange, work: () => Promise<number>, task: Task): Promise<number> {
    const { cachePages, otherPages = 0, otherGfp = GFP_NOFS, allocates } = this.#options;
    const change: Change = {
      cachePages: cachePages ?? [...this.#pieces(range)].length,
      cacheGfp: this.pageCacheGfp,
      otherPages,
      otherGfp,
      allocates: allocates ?? "in-transaction",
      label: `pages of ${this.label}`,
    };
    return this.#filesystem.change(change, work, task);
  }

  async #writeAll(bytes: Uint8Array, offsetBytes: Bytes, task: Task): Promise<number> {
    for (const { index, start, end, doneBytes } of this.#pieces({
      offsetBytes,
      lengthBytes: bytes.length,
    })) {
      const part = bytes.subarray(doneBytes, doneBytes + end - start);
      const outcome = await this.#writeBlock(index, part, start, task);
      if (outcome < 0) return doneBytes > 0 ? doneBytes : outcome;
      this.#growTo(offsetBytes + doneBytes + part.length, task);
    }
    return bytes.length;
  }

  async #zero(range: FileRange, mayFree: boolean, task: Task): Promise<number> {
    const { blockBytes, blocks } = this.#filesystem;
    for (const { index, start, end } of this.#pieces(range)) {
      task.scheduler.touch(this.#writes);
      const block = this.#blocks.get(index);
      if (block === undefined) continue;
      if (mayFree && end - start === blockBytes) {
        this.#blocks.delete(index);
        blocks.give(block);
        continue;
      }
      const outcome = await this.#writeBlock(index, new Uint8Array(end - start), start, task);
      if (outcome < 0) return outcome;
    }
    return 0;
  }

  #growTo(sizeBytes: Bytes, task: Task): void {
    task.scheduler.touch(this.#writes);
    this.#sizeBytes = Math.max(this.#sizeBytes, sizeBytes);
  }

  /** A block of the file, or the errno of what went wrong. */
  async #readBlock(index: number, task: Task): Promise<Uint8Array | number> {
    const { lower, blockBytes } = this.#filesystem;
    const bytes = new Uint8Array(blockBytes);
    const block = this.#blocks.get(index);
    if (block === undefined) return bytes;
    const count = await lower.read([bytes], block * blockBytes, task);
    return count < 0 ? count : bytes;
  }

  /** Puts `part` at `start` of a block, which the file gets if it had none. 0, or an errno. */
  async #writeBlock(index: number, part: Uint8Array, start: Bytes, task: Task): Promise<number> {
    const { lower, blockBytes, blocks } = this.#filesystem;
    const old = part.length === blockBytes ? part : await this.#readBlock(index, task);
    if (typeof old === "number") return old;
    if (old !== part) old.set(part, start);
    const owned = this.#blocks.get(index);
    const block = owned ?? blocks.take();
    if (block === undefined) return ENOSPC;
    const written = await lower.write([old], block * blockBytes, task);
    task.scheduler.touch(this.#writes);
    if (written === blockBytes) this.#blocks.set(index, block);
    else if (owned === undefined) blocks.give(block);
    if (written === blockBytes) return 0;
    return written < 0 ? written : EIO;
  }

  /** The parts of blocks that a range is made of. */
  *#pieces({ offsetBytes, lengthBytes }: FileRange): Iterable<Piece> {
    const { blockBytes } = this.#filesystem;
    for (let doneBytes = 0; doneBytes < lengthBytes;) {
      const at = offsetBytes + doneBytes;
      const start = at % blockBytes;
      const end = Math.min(blockBytes, start + lengthBytes - doneBytes);
      yield { index: (at - start) / blockBytes, start, end, doneBytes };
      doneBytes += end - start;
    }
  }
}

/** `[start, end)` of a block of the file; `doneBytes` of the range lie before it. */
interface Piece {
  readonly index: number;
  readonly start: Bytes;
  readonly end: Bytes;
  readonly doneBytes: Bytes;
}

function lengthOf(views: readonly Uint8Array[]): Bytes {
  return views.reduce((sum, { length }) => sum + length, 0);
}

function gather(views: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(views));
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}

function scatter(bytes: Uint8Array, views: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of views) {
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
  }
}
