import { type Bytes, invariant, PAGE_BYTES } from "@blkstack/bio";
import { type Access, AccessMode, Mutex, type Task, WaitQueue } from "@blkstack/task";
import type { BackingFile } from "../backing-file.ts";
import { FreeBlocks } from "./free-blocks.ts";
import { type PageAccount, PageLoan, type PagePlan } from "./pages.ts";
import { SimulatedFile, type SimulatedFileOptions } from "./simulated-file.ts";

export interface SimulatedFilesystemOptions {
  readonly name: string;
  /** What its blocks lie in: a `RamFile`, or a `DeviceFile` over a device of any kind. */
  readonly lower: BackingFile;
  /** Where files take pages from while they change. */
  readonly memory: PageAccount;
  /** How long a block is; a page unless told. */
  readonly blockBytes?: Bytes;
}

/** How one change of a file gets its pages. */
export interface Change extends PagePlan {
  /** Before the transaction is begun, as is safe, or inside it, as filesystems do. */
  readonly allocates: "before-transaction" | "in-transaction";
  readonly label: string;
}

/** The errno of a change that got no memory. */
const ENOMEM = -12;

/**
 * A filesystem as far as its locks and allocations go: files of blocks, and one lock for everything
 * that changes. Which blocks are whose is not written anywhere, so it does not outlive the program.
 *
 * A change takes the lock, allocates its pages, writes them to what lies below, and lets go of the
 * lock: the shape of all filesystems that a loop device can stand on, and the reason why reclaim
 * must not wait for I/O in the name of somebody who may be inside.
 */
export class SimulatedFilesystem {
  readonly name: string;
  readonly lower: BackingFile;
  readonly blockBytes: Bytes;
  readonly blocks: FreeBlocks;
  /** The lock of all changes: its transaction. */
  readonly transaction: Mutex;
  readonly #memory: PageAccount;
  readonly #files = new Map<string, SimulatedFile>();
  readonly #thawed: WaitQueue;
  readonly #looks: Access;
  readonly #freezes: Access;
  #freezer: Task | null = null;

  constructor({ name, lower, memory, blockBytes = PAGE_BYTES }: SimulatedFilesystemOptions) {
    this.name = name;
    this.lower = lower;
    this.blockBytes = blockBytes;
    this.blocks = new FreeBlocks(Math.floor(lower.sizeBytes / blockBytes));
    this.transaction = new Mutex(`${name}.tx`);
    this.#memory = memory;
    const object = { label: `freeze of ${name}` };
    this.#thawed = new WaitQueue(`${name} to thaw`, {
      blockers: () => (this.#freezer === null ? [] : [this.#freezer]),
    });
    this.#looks = { object, mode: AccessMode.Read, label: `look whether ${name} is frozen` };
    this.#freezes = { object, mode: AccessMode.Write, label: `freeze or thaw ${name}` };
  }

  get freeBlocks(): number {
    return this.blocks.count;
  }

  /** Makes an empty file; takes no block. An `InvariantError` when there is one of this name. */
  createFile(name: string, options: SimulatedFileOptions = {}): SimulatedFile {
    invariant(!this.#files.has(name), `${this.name}: there is a file "${name}" already`);
    const file = new SimulatedFile(this, name, options);
    this.#files.set(name, file);
    return file;
  }

  /** The file of this name; undefined when there is none. */
  lookUp(name: string): SimulatedFile | undefined {
    return this.#files.get(name);
  }

  /** Takes the name away. Who has the file goes on using it; its blocks stay its own. */
  remove(name: string): void {
    this.#files.delete(name);
  }

  /** Keeps changes out until `thaw`. Waits: for the one under way. */
  async freeze(task: Task): Promise<void> {
    await this.transaction.lock(task);
    task.scheduler.touch(this.#freezes);
    this.#freezer = task;
    this.transaction.unlock(task);
  }

  /** Waits: never. */
  thaw(task: Task): void {
    task.scheduler.touch(this.#freezes);
    this.#freezer = null;
    this.#thawed.wakeAll();
  }

  /**
   * Does `work` as one change: with its pages, in a transaction. Answers what `work` does, or -12
   * (ENOMEM) when there are no pages.
   *
   * Waits: while the filesystem is frozen, for the lock, for pages, and as `work` does.
   */
  async change(change: Change, work: () => Promise<number>, task: Task): Promise<number> {
    const loan = new PageLoan(this.#memory, task, change.label);
    const isEarly = change.allocates === "before-transaction";
    try {
      if (isEarly && !(await loan.take(change))) return ENOMEM;
      await this.#begin(task);
      try {
        if (!isEarly && !(await loan.take(change))) return ENOMEM;
        return await work();
      } finally {
        this.transaction.unlock(task);
      }
    } finally {
      loan.giveBack();
    }
  }

  async #begin(task: Task): Promise<void> {
    for (;;) {
      await this.transaction.lock(task);
      task.scheduler.touch(this.#looks);
      if (this.#freezer === null) return;
      this.transaction.unlock(task);
      await this.#thawed.sleep(task);
    }
  }
}
