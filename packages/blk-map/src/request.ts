import {
  type Bio,
  type BioFlags,
  BioList,
  type BioOp,
  BioStatus,
  type Bytes,
  invariant,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { type Access, AccessMode, Completion, type Scheduler, type Task } from "@blkstack/task";
import type { CopyRecord } from "./copy-record.ts";
import { SegmentCounter } from "./segment-counter.ts";

/** A command that moves data: a chain of bios for one range of a device. */
export class Request {
  readonly label: string;
  readonly device: BlockDevice;
  readonly op: typeof BioOp.Read | typeof BioOp.Write;
  /** Where its data begins on the device. */
  readonly sector: Sectors;
  /** The bios, in the order of their data; stand-ins where there are any. Empty once it is issued. */
  readonly bios: BioList = new BioList();
  dataBytes: Bytes = 0;
  /** What each of its bios asks for, `BioFlag.Fua` for one. To be set before it is mapped. */
  flags: BioFlags = 0;
  /** Set by the owner of the memory, if it goes on behind the data. */
  hasRoomBehind = false;
  /** The copy that the device works on instead of the caller's memory. */
  copy: CopyRecord | null = null;
  /** The first error that one of its bios ended with. */
  status: BioStatus = BioStatus.Ok;
  #segments: SegmentCounter;
  /** The bios that were made for the caller's memory, and that have not ended. */
  readonly #unended = new Set<Bio>();
  #end: Completion | null = null;
  #scheduler: Scheduler | null = null;
  readonly #ending: Access;

  constructor(
    device: BlockDevice,
    op: typeof BioOp.Read | typeof BioOp.Write,
    sector: Sectors = 0,
  ) {
    this.device = device;
    this.op = op;
    this.sector = sector;
    this.#segments = new SegmentCounter(device.queue.limits);
    this.label = `request for ${device.name}`;
    this.#ending = { object: this, mode: AccessMode.Write, label: `end a bio of a ${this.label}` };
  }

  /** Whether memory goes on behind the data, so that a device may pad what it moves: a copy's does. */
  get hasTailRoom(): boolean {
    return this.hasRoomBehind || this.copy !== null;
  }

  /** Stretches of memory that the device sees. */
  get segments(): number {
    return this.#segments.count;
  }

  /** Adds a bio behind the others; false when the device does not take that much in one request. */
  append(bio: Bio): boolean {
    const { maxHwSectors, maxSegments } = this.device.queue.limits;
    if (this.dataBytes + bio.sizeBytes > maxHwSectors * SECTOR_BYTES) return false;
    const segments = this.#segmentsWith(bio);
    if (segments === null || segments.count > maxSegments) return false;
    this.#segments = segments;
    this.bios.add(bio);
    this.dataBytes += bio.sizeBytes;
    return true;
  }

  /**
   * Issues the bios and waits until all that belong to them have ended; answers the first error.
   *
   * Waits: for that. Not from inside a driver call of the same task, which would park them.
   */
  async execute(submitter: Submitter, task: Task): Promise<BioStatus> {
    invariant(!this.bios.isEmpty, "a request is issued that has no bios");
    invariant(task.bioLists === null, `${task.name} would wait for bios that it parks itself`);
    const end = new Completion(`end of a ${this.label}`, {
      scheduler: task.scheduler,
      blockers: () => [...this.#unended],
      endsBy: "any",
    });
    this.#end = end;
    this.#scheduler = task.scheduler;
    for (let bio = this.bios.pop(); bio !== null; bio = this.bios.pop()) {
      await submitter.submitBio(bio, task);
    }
    await end.wait(task);
    this.#end = null;
    this.#scheduler = null;
    this.#clear();
    return this.status;
  }

  /** A bio of the caller's memory is part of the request from here on. */
  noteBegin(bio: Bio): void {
    this.#unended.add(bio);
  }

  /** Interrupt context. */
  noteEnd(bio: Bio): void {
    this.#scheduler?.touch(this.#ending);
    invariant(this.#unended.delete(bio), "a bio of a request ended twice");
    if (bio.status !== BioStatus.Ok && this.status === BioStatus.Ok) this.status = bio.status;
    if (this.#unended.size === 0) this.#end?.complete();
  }

  /** As it was before anything was mapped. No bio may be left. */
  reset(): void {
    invariant(this.bios.isEmpty, "a request is reset that still has bios");
    this.#clear();
    this.status = BioStatus.Ok;
  }

  #clear(): void {
    this.dataBytes = 0;
    this.copy = null;
    this.#segments = new SegmentCounter(this.device.queue.limits);
  }

  /** The segments there would be; null when the device forbids the gap before `bio`. */
  #segmentsWith(bio: Bio): SegmentCounter | null {
    const segments = this.#segments.clone();
    for (let index = 0; index < bio.vecCount; index += 1) {
      const vec = bio.vecs[index];
      invariant(vec !== undefined, "a bio has fewer vectors than it counts");
      if (!segments.canFollow(vec.page, vec.offset)) return null;
      segments.add(vec.page, vec.offset, vec.length);
    }
    return segments;
  }
}
