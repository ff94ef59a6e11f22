import { BioStatus } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  Mutex,
  type Scheduler,
  type Task,
  WaitQueue,
} from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";
import { BufferList } from "./buffer-list.ts";
import { newTally, type Tally } from "./counters.ts";

/**
 * Which blocks a client has, and in which state they are.
 *
 * Nothing here waits, so that whatever is done in one go is seen by others as one change. The lock
 * is for what takes longer: finding memory, giving up buffers, claiming writes. To find a block and
 * to hold it, to make it dirty and to let go of it, nobody needs the lock.
 */
export class BufferCache {
  readonly label: string;
  readonly scheduler: Scheduler;
  readonly lock: Mutex;
  /** Neither dirty nor being written; and dirty, being written, or both. */
  readonly clean: BufferList = new BufferList();
  readonly dirty: BufferList = new BufferList();
  /** Writes claimed and not ended, oldest first. */
  readonly writing: Set<BlockBuffer> = new Set<BlockBuffer>();
  readonly tally: Tally = newTally();
  /** Tasks that found every buffer held, and no memory. */
  readonly freeBuffer: WaitQueue;
  /** The first error of a write since it was last asked for. */
  asyncWriteStatus: BioStatus = BioStatus.Ok;
  /** Counts what changes in order: blocks that become dirty, writes that begin, calls to write all. */
  order = 0;
  /** What time it was when somebody last had to wait anyway. */
  nowMs = 0;
  readonly #index = new Map<number, BlockBuffer>();
  readonly #use: Access;
  #searches = 0;

  constructor(label: string, scheduler: Scheduler) {
    this.label = label;
    this.scheduler = scheduler;
    this.lock = new Mutex(label);
    this.freeBuffer = new WaitQueue(`a buffer of ${label}`, { blockers: () => this.#holders() });
    this.#use = { object: { label }, mode: AccessMode.Write, label: `use ${label}` };
  }

  get count(): number {
    return this.clean.count + this.dirty.count;
  }

  /** Where another task may run first. */
  mayPreempt(task: Task): Promise<void> | undefined {
    return this.scheduler.isExploring ? this.scheduler.mayPreempt(task, this.#use) : undefined;
  }

  /** Tells that the cache is about to be used; again after every wait. */
  tellUse(): void {
    if (this.scheduler.isExploring) this.scheduler.touch(this.#use);
  }

  find(block: number): BlockBuffer | null {
    const buffer = this.#index.get(block);
    return buffer ?? null;
  }

  /** The blocks that are there of a range; one at a time, which may then be removed. */
  *inRange(first: number, end: number): Generator<BlockBuffer> {
    if (end - first > this.count) {
      for (const buffer of this.#index.values()) {
        if (buffer.block >= first && buffer.block < end) yield buffer;
      }
      return;
    }
    for (let block = first; block < end; block += 1) {
      const buffer = this.#index.get(block);
      if (buffer !== undefined) yield buffer;
    }
  }

  /** Gives a buffer that is on no list a place, as a clean one. */
  insert(buffer: BlockBuffer, block: number): void {
    buffer.rekey(block);
    buffer.lastUsedMs = this.nowMs;
    this.#index.set(block, buffer);
    this.clean.add(buffer);
  }

  /** Takes a buffer out that nobody holds and that has no I/O under way; dirty or not. */
  remove(buffer: BlockBuffer): void {
    this.#index.delete(buffer.block);
    buffer.list?.remove(buffer);
    buffer.isDirty = false;
  }

  hold(buffer: BlockBuffer, task: Task): void {
    buffer.holds += 1;
    buffer.lastUsedMs = this.nowMs;
    buffer.list?.touch(buffer);
    if (this.scheduler.isExploring) buffer.holders.push(task);
  }

  /** Puts a buffer on the list that its state is for. */
  relist(buffer: BlockBuffer): void {
    const list = buffer.isDirty || buffer.isWriting ? this.dirty : this.clean;
    if (buffer.list === list) return;
    buffer.list?.remove(buffer);
    list.add(buffer);
  }

  /** Takes what is dirty of a buffer, which is not being written, for a write that `task` is to send. */
  claimWrite(buffer: BlockBuffer, task: Task): void {
    this.order += 1;
    buffer.claimWrite();
    buffer.writtenAt = this.order;
    buffer.sender = task;
    this.writing.add(buffer);
  }

  /** Interrupt context. */
  writeEnded(buffer: BlockBuffer, status: BioStatus): void {
    buffer.isWriting = false;
    buffer.writeStatus = status;
    if (status !== BioStatus.Ok && this.asyncWriteStatus === BioStatus.Ok) {
      this.asyncWriteStatus = status;
    }
    this.writing.delete(buffer);
    this.relist(buffer);
  }

  /** Answers the first error of a write, and forgets it. */
  takeWriteStatus(): BioStatus {
    const status = this.asyncWriteStatus;
    this.asyncWriteStatus = BioStatus.Ok;
    return status;
  }

  /** Starts a search for buffers: none that it has looked at comes twice. */
  beginSearch(): number {
    this.#searches += 1;
    return this.#searches;
  }

  /** The oldest of a list that nobody holds and that the search has not had; null: none. */
  oldestUnheld(list: BufferList, search: number): BlockBuffer | null {
    for (let buffer = list.oldest; buffer !== null; buffer = buffer.newer) {
      if (buffer.searchedBy === search) continue;
      buffer.searchedBy = search;
      if (buffer.holds === 0) return buffer;
    }
    return null;
  }

  #holders(): readonly object[] {
    return [...this.#index.values()].flatMap(({ holders }) => holders);
  }
}
