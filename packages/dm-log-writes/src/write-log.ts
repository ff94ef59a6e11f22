import { BioFlag, BioOp, type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type BlockDevice, BlockError, type Errno } from "@blkstack/block";
import type { DmIoClient } from "@blkstack/kcopyd";
import { type Access, AccessMode, type Scheduler, type Task } from "@blkstack/task";
import { WorkItem, WorkQueue } from "@blkstack/task";
import { dataBytesOf, type LogEntry, writeHead } from "./log-entry.ts";
import { encodeSuper, LogFlag } from "./log-format.ts";

export interface WriteLogOptions {
  readonly name: string;
  readonly device: BlockDevice;
  readonly blockBytes: Bytes;
  readonly scheduler: Scheduler;
  readonly io: DmIoClient;
  /** An entry is in the log, or never will be. Interrupt context. */
  readonly onDone: (entry: LogEntry) => void;
  /** There will be no more of them, and why. Interrupt context. */
  readonly onDisabled: (why: string) => void;
}

/**
 * The log on its device. Entries get their places as they are appended, and are written one after
 * the other; how many there are is written behind those that count on being found: FUA and marks.
 */
export class WriteLog {
  readonly #options: WriteLogOptions;
  readonly #waiting: LogEntry[] = [];
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  readonly #changing: Access;
  #entryCount = 0;
  #nextSector: Sectors;
  #refusal: { readonly errno: Errno; readonly why: string } | null = null;

  constructor(options: WriteLogOptions) {
    const { name, scheduler } = options;
    this.#options = options;
    this.#nextSector = options.blockBytes / SECTOR_BYTES;
    const label = `log of ${name}`;
    this.#queue = new WorkQueue({ scheduler, name: label, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(label, (task) => this.#writeAll(task));
    this.#changing = { object: this.#work, mode: AccessMode.Write, label: `append to ${label}` };
  }

  get isEnabled(): boolean {
    return this.#refusal === null;
  }

  /** `ENTRIES LAST_SECTOR`, and whether that was all. */
  get status(): string {
    const counts = `${String(this.#entryCount)} ${String(this.#nextSector - 1)}`;
    return this.isEnabled ? counts : `${counts} logging_disabled`;
  }

  /** Puts an entry at the end. Waits: never; it is written soon. */
  append(entry: LogEntry): void {
    const { scheduler, blockBytes, device, onDone } = this.#options;
    scheduler.touch(this.#changing);
    if (!this.isEnabled) {
      onDone(entry);
      return;
    }
    entry.place = this.#nextSector;
    this.#nextSector += (blockBytes + dataBytesOf(entry)) / SECTOR_BYTES;
    if (this.#nextSector > device.sizeSectors) {
      onDone(entry);
      this.disable("ENOSPC", "Ran out of space on the logdev");
      return;
    }
    this.#entryCount += 1;
    entry.number = this.#entryCount;
    this.#waiting.push(entry);
    this.#queue.queue(this.#work);
  }

  /** Nothing more is appended. What has a place is still written. Waits: never. */
  disable(errno: Errno, why: string): void {
    if (!this.isEnabled) return;
    this.#options.scheduler.touch(this.#changing);
    this.#refusal = { errno, why };
    this.#options.onDisabled(why);
  }

  /** Throws a BlockError when nothing is appended any more, with the reason. */
  assertEnabled(): void {
    if (this.#refusal === null) return;
    const { errno, why } = this.#refusal;
    throw new BlockError("BLK_STATE", errno, `logging is disabled: ${why}`);
  }

  /** Waits: until everything that was appended is written. */
  async drain(task: Task): Promise<void> {
    await this.#queue.flush(this.#work, task);
  }

  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  async #writeAll(task: Task): Promise<void> {
    for (let entry = this.#take(); entry !== null; entry = this.#take()) {
      const isWritten = await this.#write(entry, task);
      this.#options.onDone(entry);
      if (!isWritten) this.#fail();
    }
  }

  #take(): LogEntry | null {
    this.#options.scheduler.touch(this.#changing);
    return this.#waiting.shift() ?? null;
  }

  async #write(entry: LogEntry, task: Task): Promise<boolean> {
    const { blockBytes } = this.#options;
    writeHead(entry, blockBytes);
    const memory = [{ page: entry.head, offset: 0, length: blockBytes }];
    const dataBytes = dataBytesOf(entry);
    if (entry.data !== null) memory.push({ page: entry.data, offset: 0, length: dataBytes });
    if (!(await this.#io(entry.place, memory, 0, task))) return false;
    const isCountedOn = (entry.flags & (LogFlag.Fua | LogFlag.Mark)) !== 0;
    return !isCountedOn || this.#writeSuper(entry, task);
  }

  async #writeSuper({ number, flags }: LogEntry, task: Task): Promise<boolean> {
    const { blockBytes } = this.#options;
    const bytes = new Uint8Array(blockBytes);
    encodeSuper(bytes, number, blockBytes);
    const memory = [{ page: { bytes, frame: 0 }, offset: 0, length: blockBytes }];
    // Who makes a mark wants to find it after a power cut too.
    const isMark = (flags & LogFlag.Mark) !== 0;
    return this.#io(0, memory, isMark ? BioFlag.Preflush | BioFlag.Fua : 0, task);
  }

  async #io(
    sector: Sectors,
    memory: { page: LogEntry["head"]; offset: Bytes; length: Bytes }[],
    flags: number,
    task: Task,
  ): Promise<boolean> {
    const { device, io } = this.#options;
    const bytes = memory.reduce((sum, { length }) => sum + length, 0);
    const regions = [{ device, sector, sectors: bytes / SECTOR_BYTES }];
    return (await io.ioAndWait({ op: BioOp.Write, flags, regions, memory }, task)) === 0n;
  }

  /** With a hole in it the log is of no use: what waits is dropped. */
  #fail(): void {
    for (const entry of this.#waiting.splice(0)) this.#options.onDone(entry);
    this.disable("EIO", "Error writing to the logdev");
  }
}
