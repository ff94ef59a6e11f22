import { type Bio, BioFlag, BioList, BioOp, BioStatus } from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  defineTarget,
  type DeviceRange,
  EndIoResult,
  MapResult,
  type QueueLimits,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { DmIoClient } from "@blkstack/kcopyd";
import { Memory } from "@blkstack/memory";
import { type Access, AccessMode, isPending, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { EntryMemory } from "./entry-memory.ts";
import { type LogEntry, markEntry } from "./log-entry.ts";
import { END_MARK, ENTRY_BYTES, LogFlag } from "./log-format.ts";
import { bytesOfText } from "./text.ts";
import { WriteLog } from "./write-log.ts";

/** What is kept in memory until it is in the log: 64 MiB. */
const LIMIT_PAGES = 16_384;
/** The longest write that is taken at once, 8 MiB, so that several fit. */
const WRITE_SECTORS_MAX = 16_384;

/** Sends everything to one device, and records on another what was written, in a safe order. */
export const logWrites: TargetType = defineTarget({
  name: "log-writes",
  version: [1, 1, 0],
  apiVersion: 1,
  createPerBioData: () => new LoggedBio(),
  create(context) {
    const { args, openDevice, error } = context;
    if (args.length < 2) throw error("Invalid argument count");
    const device = openDevice(args[0] ?? "");
    const logDevice = openDevice(args[1] ?? "", "Log device lookup failed");
    const { logicalBlockBytes: blockBytes } = device.queue.limits;
    if (blockBytes % logDevice.queue.limits.logicalBlockBytes !== 0) {
      throw error("Log device has larger blocks than the device");
    }
    return new LogWrites(context, { device, logDevice, blockBytes });
  },
});

/** What a bio on its way has to do with the log. */
class LoggedBio {
  entry: LogEntry | null = null;
  /** Of a flush: the writes that had ended when it came. */
  flushed: readonly LogEntry[] = NONE;
}

const NONE: readonly LogEntry[] = [];

interface Devices {
  readonly device: BlockDevice;
  readonly logDevice: BlockDevice;
  readonly blockBytes: number;
}

class LogWrites implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly #context: TargetContext;
  readonly #devices: Devices;
  readonly #memory: EntryMemory;
  readonly #io: DmIoClient;
  readonly #log: WriteLog;
  /** Writes that ended and that no flush has made durable yet, as they ended. */
  #unflushed: LogEntry[] = [];
  /** Bios that wait for memory to keep what they write. */
  readonly #held = new BioList();
  readonly #heldQueue: WorkQueue;
  readonly #heldWork: WorkItem;
  readonly #changing: Access;
  #wasLive = false;

  constructor(context: TargetContext, devices: Devices) {
    const { scheduler, submitter, deviceName, host } = context;
    const { blockBytes, logDevice } = devices;
    const memory = context.service(Memory);
    const name = `writes of ${deviceName}`;
    this.#context = context;
    this.#devices = devices;
    const label = `logged ${name}`;
    this.#memory = new EntryMemory({ memory, label, limitPages: LIMIT_PAGES, blockBytes });
    this.#io = new DmIoClient({ name: `log of ${deviceName}`, scheduler, memory, submitter });
    this.#log = new WriteLog({
      name: deviceName,
      device: logDevice,
      blockBytes,
      scheduler,
      io: this.#io,
      onDone: (entry) => {
        this.#free(entry);
      },
      onDisabled: (why) => {
        host.log(why);
        this.#giveUp();
      },
    });
    const held = `held ${name}`;
    this.#heldQueue = new WorkQueue({
      scheduler,
      name: held,
      reclaimGuaranteed: true,
      maxActive: 1,
    });
    this.#heldWork = new WorkItem(held, (task) => this.#submitHeld(task));
    this.#changing = { object: this.#heldWork, mode: AccessMode.Write, label: `change ${label}` };
  }

  /** Waits: never; a write for whose copy there is no room is kept until there is. */
  map(bio: Bio): MapResult {
    const logged = this.#loggedBio(bio);
    logged.entry = null;
    bio.device = this.#devices.device;
    bio.sector -= this.#context.begin;
    if (bio.op === BioOp.Read) return MapResult.Remapped;
    this.#context.scheduler.touch(this.#changing);
    if (this.#held.isEmpty && this.#prepare(bio, logged)) return MapResult.Remapped;
    this.#held.add(bio);
    // What has ended makes room by going to the log early; a flush is not waited for, for it may
    // be the flush that is kept here.
    this.#flushEarly();
    return MapResult.Submitted;
  }

  /** What ended well is stable, or will be by the next flush; what failed is in no log. */
  endIo(bio: Bio): EndIoResult {
    const logged = this.#loggedBio(bio);
    const { entry, flushed } = logged;
    if (entry === null) return EndIoResult.Done;
    this.#context.scheduler.touch(this.#changing);
    logged.entry = null;
    logged.flushed = NONE;
    if (bio.status !== BioStatus.Ok) {
      this.#unflushed = [...flushed, ...this.#unflushed];
      this.#free(entry);
    } else if ((entry.flags & (LogFlag.Flush | LogFlag.Fua)) !== 0) {
      for (const each of flushed) this.#log.append(each);
      this.#log.append(entry);
    } else {
      this.#unflushed.push(entry);
    }
    if (!this.#held.isEmpty || !this.#log.isEnabled) this.#flushEarly();
    return EndIoResult.Done;
  }

  /** `info`: how many entries the log has, and its last sector. */
  status(kind: StatusKind): string {
    if (kind === "info") return this.#log.status;
    const { device, logDevice } = this.#devices;
    const { deviceLabel } = this.#context;
    return `${deviceLabel(device)} ${deviceLabel(logDevice)}`;
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ device: this.#devices.device, startSector: 0, sizeSectors }];
  }

  /** Flushes and FUA are wanted here, even if the device below has no use for them. */
  adjustLimits(limits: QueueLimits): void {
    limits.hasVolatileCache = true;
    limits.hasFua = true;
    limits.maxSectors = Math.min(limits.maxSectors, WRITE_SECTORS_MAX);
  }

  /** `mark TEXT`: puts a mark where the log is now. Waits: until it is there. */
  async message(words: readonly string[], task: Task): Promise<string> {
    const [name = "", text = ""] = words;
    if (words.length !== 2) {
      throw refusal(
        `Invalid log-writes message arguments, expect 2 arguments, got ${String(words.length)}`,
      );
    }
    if (name.toLowerCase() !== "mark") {
      throw refusal(`Unrecognised log writes target message received: ${name}`);
    }
    const { blockBytes } = this.#devices;
    const most = blockBytes - ENTRY_BYTES - 1;
    if (bytesOfText(text).length > most) {
      throw refusal(`the text of a mark has at most ${String(most)} bytes here`);
    }
    this.#log.assertEnabled();
    this.#log.append(markEntry(text, blockBytes));
    await this.#log.drain(task);
    this.#log.assertEnabled();
    return "";
  }

  resume(): void {
    this.#wasLive = true;
  }

  /** Whoever has suspended the device may want to read the log. */
  postsuspend(task: Task): Promise<void> {
    return this.#log.drain(task);
  }

  /** Ends the log with what no flush has come for, and a mark; unless it was never begun. */
  async destroy(task: Task): Promise<void> {
    this.#flushEarly();
    if (this.#wasLive) this.#log.append(markEntry(END_MARK, this.#devices.blockBytes));
    await this.#log.destroy(task);
    await this.#heldQueue.destroy(task);
    await this.#io.destroy(task);
    this.#memory.destroy();
  }

  /** Makes the copy for the log; false: not now, for lack of memory. */
  #prepare(bio: Bio, logged: LoggedBio): boolean {
    if (!this.#log.isEnabled) return true;
    const entry = this.#memory.entryFor(bio);
    if (entry === null) {
      if (this.#memory.liveCount > 0) return false;
      // Nobody will give any back, and the data must not wait for ever.
      this.#log.disable("ENOMEM", "Out of memory for the log");
      return true;
    }
    logged.entry = entry;
    if ((bio.flags & BioFlag.Preflush) === 0) return true;
    logged.flushed = this.#unflushed;
    this.#unflushed = [];
    return true;
  }

  async #submitHeld(task: Task): Promise<void> {
    for (let bio = this.#takeHeld(); bio !== null; bio = this.#takeHeld()) {
      const submitted = this.#context.submitter.submitBio(bio, task);
      if (isPending(submitted)) await submitted;
    }
  }

  #takeHeld(): Bio | null {
    this.#context.scheduler.touch(this.#changing);
    const { head } = this.#held;
    if (head === null || !this.#prepare(head, this.#loggedBio(head))) return null;
    return this.#held.pop();
  }

  /** Has what ended written to the log, or thrown away when there is none any more. */
  #flushEarly(): void {
    const entries = this.#unflushed;
    if (entries.length === 0) return;
    this.#unflushed = [];
    for (const entry of entries) this.#log.append(entry);
  }

  #free(entry: LogEntry): void {
    this.#memory.free(entry);
    if (!this.#held.isEmpty) this.#heldQueue.queue(this.#heldWork);
  }

  #giveUp(): void {
    this.#flushEarly();
    if (!this.#held.isEmpty) this.#heldQueue.queue(this.#heldWork);
  }

  #loggedBio(bio: Bio): LoggedBio {
    return this.#context.perBioData(bio) as LoggedBio;
  }
}

function refusal(message: string): BlockError {
  return new BlockError("BLK_STATE", "EINVAL", message);
}
