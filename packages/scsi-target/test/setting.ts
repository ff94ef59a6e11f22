import { type Bio, PAGE_BYTES, type Page } from "@blkstack/bio";
import type { SgEntry, SgList } from "@blkstack/blk-map";
import type { Submitter } from "@blkstack/block";
import { RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, PageAllocator } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type ScsiAnswer, type ScsiCommand, ScsiDisk } from "../src/index.ts";
import { Bounced } from "./bounced.ts";

export const SECTORS = 256;

export interface SettingOptions extends Partial<RamDiskOptions> {
  /** Which memory of the caller is replaced, and how many pages there are for it. */
  readonly bounced?: readonly ["frames" | "aligned", number];
}

/** A bio as it was when it was sent, for they are used again. */
export type SentBio = Pick<Bio, "op" | "flags" | "sector" | "sizeBytes"> & {
  readonly pages: readonly Page[];
};

/** A SCSI disk over one in memory, and all that it takes from. */
export class Stand {
  readonly memory: Memory;
  readonly pages: PageAllocator;
  readonly ram: RamDisk;
  readonly scsi: ScsiDisk;
  /** The bios that were sent to the disk. */
  readonly sent: SentBio[] = [];
  readonly bounced: Bounced | null;

  constructor(scheduler: Scheduler, { bounced, ...options }: SettingOptions = {}) {
    this.memory = new Memory({ scheduler });
    const { memory } = this;
    this.pages = new PageAllocator({ memory, limitPages: 64, label: "copies" });
    this.ram = new RamDisk({ name: "sda", sizeSectors: SECTORS, scheduler, ...options });
    const split = new SplitSetPerDevice({ scheduler, memory });
    const requests = new MakeRequest({ split });
    const submitter: Submitter = {
      submitBio: (bio, task) => {
        const { op, flags, sector, sizeBytes, vecs, vecCount } = bio;
        const pagesOfBio = vecs.slice(0, vecCount).map((vec) => vec.page);
        this.sent.push({ op, flags, sector, sizeBytes, pages: pagesOfBio });
        return requests.submitBio(bio, task);
      },
    };
    const common = { device: this.ram, submitter, memory, pages: this.pages };
    this.bounced = bounced === undefined ? null : new Bounced(scheduler, memory, ...bounced);
    const { bounce } = this.bounced ?? {};
    this.scsi = new ScsiDisk(bounce === undefined ? common : { ...common, bouncer: bounce });
  }

  /** What is not given back: nothing, when no command is under way. */
  get missing(): { pages: number; copies: number; bounced: number } {
    const bounced = this.bounced?.liveCount ?? 0;
    return { pages: this.pages.usedPages, copies: this.scsi.liveCopies, bounced };
  }

  /** What lies on the disk. */
  peek(sector: number, sectors: number): Uint8Array {
    const bytes = new Uint8Array(sectors * 512);
    this.ram.peek(sector, bytes);
    return bytes;
  }
}

export class Setting extends Stand {
  readonly scheduler: VirtualScheduler;

  constructor(options: SettingOptions = {}) {
    const scheduler = new VirtualScheduler();
    super(scheduler, options);
    this.scheduler = scheduler;
  }

  execute(command: ScsiCommand): Promise<ScsiAnswer> {
    return this.scheduler.perform("initiator", (task: Task) => this.scsi.execute(command, task));
  }

  /** What a command brings that has room for `roomBytes`. */
  async ask(cdb: Uint8Array, roomBytes = 512): Promise<Uint8Array> {
    const dataIn = [entry(page(0xee), 0, roomBytes)];
    const { status, movedBytes } = await this.execute({ cdb, dataIn });
    if (status !== 0) throw new Error(`refused with status ${String(status)}`);
    return bytesOf(dataIn).subarray(0, movedBytes);
  }
}

/** All is given back. */
export const NOTHING_MISSING = { pages: 0, copies: 0, bounced: 0 };

let nextFrame = 10;

export function page(fill = 0, frame?: number): Page {
  nextFrame += 2;
  return { bytes: new Uint8Array(PAGE_BYTES).fill(fill), frame: frame ?? nextFrame };
}

export function entry(at: Page, offset = 0, length = PAGE_BYTES): SgEntry {
  return { page: at, offset, length };
}

/** Memory that begins with these bytes, and goes on with others. */
export function listOf(bytes: Uint8Array): SgList {
  const whole = { bytes: new Uint8Array(bytes.length + PAGE_BYTES).fill(0xaa), frame: 1 };
  whole.bytes.set(bytes);
  return [entry(whole, 0, bytes.length)];
}

export function bytesOf(list: SgList): Uint8Array {
  const parts = list.map(({ page: { bytes }, offset, length }) =>
    bytes.subarray(offset, offset + length),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** What an answer complains of: the sense key, then the code as SCSI writes it. */
export function complaint({ sense }: ScsiAnswer): string {
  if (sense === null) return "none";
  const code = [sense[12], sense[13]].map((byte = 0) => byte.toString(16).padStart(2, "0"));
  return `${String(sense[2])} ${code.join("/")}`;
}
