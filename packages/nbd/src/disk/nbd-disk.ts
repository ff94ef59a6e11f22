import {
  Bio,
  bioEndio,
  BioFlag,
  BioList,
  BioOp,
  BioStatus,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import {
  type AskedExtent,
  type AskingDevice,
  type BlockDevice,
  BlockError,
  type Extent,
  RequestQueue,
  setData,
  validateLimits,
} from "@blkstack/block";
import type { InterruptSource, Scheduler } from "@blkstack/task";
import { NbdError } from "../client-error.ts";
import type { RemoteExport } from "../client-handshake.ts";
import { formatNbdUri } from "../uri.ts";
import { CommandFlag, ReplyError, TransmissionFlag } from "../wire.ts";
import { Connections } from "./connections.ts";
import { Dialer } from "./dialer.ts";
import { fillData, fillFlush, isFlush } from "./fill-request.ts";
import type { Opened } from "./open-links.ts";
import { checkOptions, checkSize, type NbdDiskOptions, type ReconnectPolicy } from "./options.ts";
import { refusalOf } from "./refusal.ts";
import { RemoteExtents } from "./remote-extents.ts";
import { can, limitsOfExport, lossOf } from "./remote-limits.ts";
import { statusOfReply } from "./reply-status.ts";
import { Slot, Step } from "./slot.ts";
import { WriteDebt } from "./write-debt.ts";

const MAX_IN_FLIGHT = 64;
const ANSWER_MS = 60_000;

/** A bio that was with the server at so many losses is taken for their cause. */
const LOSSES_MAX = 5;

/**
 * An export of an NBD server as a disk.
 *
 * What was written, answered, and not flushed when a connection is lost may be lost with the server,
 * and nobody can tell which of it. So flushes fail from then on, and `close` does, until the disk is
 * opened anew; reads and writes go on as `reconnect` says.
 */
export class NbdDisk implements BlockDevice, AskingDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;
  readonly #scheduler: Scheduler;
  readonly #remote: RemoteExport;
  readonly #policy: ReconnectPolicy;
  readonly #dialer: Dialer;
  readonly #canFlush: boolean;
  readonly #canFua: boolean;
  readonly #writesThrough: boolean;
  /** The places for bios that are with the server, or are to be sent again. */
  readonly #slots: readonly Slot[];
  readonly #connections: Connections;
  readonly #free: Slot[];
  /** Bios beyond the slots, and those that came while there is no connection. */
  readonly #waiting = new BioList();
  #isStarting = false;
  /** Bios that were taken and have not ended. */
  #pending = 0;
  readonly #debt = new WriteDebt();
  /** Null: other connections may not see what was written here. */
  readonly #extents: RemoteExtents | null;
  /** Why there is no connection, and will be none. */
  #failure: Error | null = null;
  #closed: Promise<void> | null = null;
  #becameIdle: (() => void) | null = null;

  private constructor(options: NbdDiskOptions, dialer: Dialer, { remote }: Opened) {
    const { name, scheduler, writesThrough = false } = options;
    this.name = name;
    this.label = `disk ${name}`;
    this.#scheduler = scheduler;
    this.#remote = remote;
    this.#dialer = dialer;
    this.#policy = options.reconnect ?? "none";
    this.#canFlush = can(remote, TransmissionFlag.SendFlush);
    this.#canFua = can(remote, TransmissionFlag.SendFua);
    // Durable writes and no flush: then the only way to be durable is to be so at once.
    this.#writesThrough = writesThrough || (this.#canFua && !this.#canFlush);
    const limits = limitsOfExport(remote, this.#writesThrough);
    validateLimits(limits, name);
    this.queue = new RequestQueue(name, limits);
    const blockSectors = limits.logicalBlockBytes / SECTOR_BYTES;
    this.sizeSectors = Math.floor(remote.sizeBytes / limits.logicalBlockBytes) * blockSectors;
    this.isReadOnly = (options.isReadOnly ?? false) || can(remote, TransmissionFlag.ReadOnly);
    this.#extents = can(remote, TransmissionFlag.CanMultiConn)
      ? new RemoteExtents(options.address, this.sizeSectors, (error) => {
          scheduler.warn(`disk "${name}": nothing is known of its holes: ${error.message}`);
        })
      : null;
    const count = options.maxInFlight ?? MAX_IN_FLIGHT;
    this.#slots = Array.from({ length: count }, (_, index) => new Slot(index));
    this.#free = [...this.#slots].reverse();
    this.#connections = new Connections({
      label: this.label,
      scheduler,
      slots: this.#slots,
      answerMs: options.answerMs ?? ANSWER_MS,
      answered: (slot, errno) => {
        this.#answered(slot, errno);
      },
      lost: (error) => {
        this.#break(error, null);
      },
      silent: (error) => {
        dialer.fellSilent();
        this.#break(error, null);
      },
    });
  }

  /**
   * Connects. Waits: until the server serves the export.
   *
   * Throws a BlockError, `BLK_DEVICE` or `BLK_LIMITS`, that names the disk and the address.
   */
  static async open(options: NbdDiskOptions): Promise<NbdDisk> {
    checkOptions(options);
    const dialer = new Dialer(options);
    const opened = await dialer.dial();
    try {
      checkSize(options, opened[0].remote);
      const disk = new NbdDisk(options, dialer, opened[0]);
      disk.#connections.adopt(opened);
      return disk;
    } catch (error) {
      for (const { socket } of opened) socket.destroy();
      throw error;
    }
  }

  /** How many connections there are now. */
  get connectionCount(): number {
    return this.#connections.count;
  }

  /** Takes the bio. Waits: never. */
  submitBio(bio: Bio): void {
    this.#pending += 1;
    const isOver = this.#closed !== null || this.#failure !== null;
    const refusal = isOver ? BioStatus.IoError : refusalOf(bio, this);
    if (refusal !== BioStatus.Ok) this.#end(bio, refusal);
    else if (bio.sizeBytes === 0 && !isFlush(bio)) this.#end(bio, BioStatus.Ok);
    else this.#admit(bio);
  }

  /** What is not known here, the server is asked for, on behalf of whoever can wait for it. */
  findExtent(sector: Sectors, extent: Extent): void {
    const { inquiry } = extent;
    if (inquiry === undefined || this.#extents === null) setData(extent);
    else inquiry.look(this, sector, extent);
  }

  /** Waits: for the server, for some seconds at the most. Never throws. */
  async askExtents(sector: Sectors): Promise<readonly AskedExtent[]> {
    return (await this.#extents?.ask(sector)) ?? [];
  }

  handleInterrupt(bio: Bio): void {
    this.#pending -= 1;
    bioEndio(bio);
    if (this.#pending === 0) this.#becameIdle?.();
  }

  /** Nobody in particular: the server ends what it was given. */
  blockers(): readonly object[] {
    return [];
  }

  /**
   * Ends what was submitted, makes it durable and leaves the server. Bios that come later end with
   * IoError. May be called again.
   *
   * Waits: for the server; without a connection, for as long as `reconnectMs`. Throws a BlockError,
   * `BLK_DEVICE` EIO, when acknowledged writes may be lost.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #answered(slot: Slot, errno: number): void {
    const { bio } = slot;
    if (bio === null) return;
    if (errno === ReplyError.Shutdown) {
      this.#break(new NbdError("NBD_CLOSED", "the server shuts down"), slot);
      return;
    }
    this.#dialer.isAnswered = true;
    const status = statusOfReply(errno);
    if (status !== BioStatus.Ok) this.#finish(slot, status);
    else if (slot.step === Step.Data) this.#afterData(slot, bio);
    else {
      this.#debt.settle(slot.answeredWrites);
      if (slot.step === Step.FlushBefore && bio.sizeBytes > 0) this.#go(slot, Step.Data);
      else this.#finish(slot, BioStatus.Ok);
    }
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#becameIdle = resolve;
      });
    }
    const isDurable = !this.#debt.isOwing || (await this.#flushLast());
    this.#dialer.stop();
    this.#extents?.close();
    await this.#connections.close();
    if (isDurable && !this.#debt.hasLost) return;
    const why = this.#failure === null ? "" : `: ${this.#failure.message}`;
    throw new BlockError(
      "BLK_DEVICE",
      "EIO",
      `disk "${this.name}": writes since the last good flush may be lost${why}`,
    );
  }

  async #flushLast(): Promise<boolean> {
    if (this.#failure !== null || this.#debt.hasLost) return false;
    const bio = new Bio();
    bio.op = BioOp.Flush;
    this.#pending += 1;
    const status = await new Promise<BioStatus>((resolve) => {
      bio.endIo = (ended) => {
        resolve(ended.status);
      };
      this.#admit(bio);
    });
    return status === BioStatus.Ok;
  }

  #admit(bio: Bio): void {
    this.#waiting.add(bio);
    this.#startWaiting();
  }

  #startWaiting(): void {
    // What is started may end at once, and so come here again.
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#connections.count > 0) {
      const slot = this.#free.at(-1);
      const bio = slot === undefined ? null : this.#waiting.pop();
      if (slot === undefined || bio === null) break;
      this.#free.pop();
      slot.bio = bio;
      slot.losses = 0;
      this.#go(slot, isFlush(bio) ? Step.FlushBefore : Step.Data);
    }
    this.#isStarting = false;
  }

  #go(slot: Slot, step: Step): void {
    slot.step = step;
    const { bio } = slot;
    if (bio === null) return;
    if (step === Step.Data) this.#sendData(slot, bio);
    else if (step === Step.FlushBefore && this.#debt.hasLost) this.#finish(slot, BioStatus.IoError);
    else if (this.#canFlush) this.#sendFlush(slot);
    else if (step === Step.FlushBefore && bio.sizeBytes > 0) this.#go(slot, Step.Data);
    else this.#finish(slot, BioStatus.Ok);
  }

  #sendFlush(slot: Slot): void {
    fillFlush(slot, this.#debt.mark);
    this.#connections.idlest()?.send(slot, null);
  }

  #sendData(slot: Slot, bio: Bio): void {
    fillData(slot, bio, this.#canFua && this.#mustBeDurable(bio));
    this.#connections.idlest()?.send(slot, bio.op === BioOp.Write ? bio : null);
  }

  #mustBeDurable(bio: Bio): boolean {
    return bio.op !== BioOp.Read && (this.#writesThrough || (bio.flags & BioFlag.Fua) !== 0);
  }

  #afterData(slot: Slot, bio: Bio): void {
    if (this.#canFlush && !this.#canFua && this.#mustBeDurable(bio)) {
      this.#go(slot, Step.FlushBehind);
      return;
    }
    const isChange = bio.op === BioOp.Write || bio.op === BioOp.WriteZeroes;
    if (isChange && this.#canFlush && (slot.flags & CommandFlag.Fua) === 0) {
      this.#debt.owe();
    }
    this.#finish(slot, BioStatus.Ok);
  }

  #finish(slot: Slot, status: BioStatus): void {
    const { bio } = slot;
    if (bio === null) return;
    slot.bio = null;
    slot.link = null;
    this.#free.push(slot);
    this.#end(bio, status);
    this.#startWaiting();
  }

  #end(bio: Bio, status: BioStatus): void {
    // Only errors are written: a driver above may have put one there already.
    if (status !== BioStatus.Ok) bio.status = status;
    this.#scheduler.raise(this, bio);
  }

  /**
   * One connection lost is all lost: the others are of the same server, which is unlikely to outlive
   * it. `refused` is a slot whose answer told so.
   */
  #break(error: NbdError, refused: Slot | null): void {
    this.#connections.drop();
    const where = `disk "${this.name}": ${error.message}`;
    if (this.#debt.lose()) {
      this.#scheduler.warn(
        `${where}; writes since the last flush may be lost, and flushes will fail`,
      );
    }
    if (this.#policy === "none") {
      this.#die(error);
      return;
    }
    this.#scheduler.warn(`${where}; connecting again`);
    for (const slot of this.#slots) {
      if (slot.bio === null || (slot.link === null && slot !== refused)) continue;
      slot.link = null;
      slot.losses += 1;
      const isOver = this.#policy === "fail" || slot.losses > LOSSES_MAX;
      if (isOver) this.#finish(slot, BioStatus.IoError);
    }
    this.#dialer.dialAgain(
      (opened) => {
        this.#returned(opened);
      },
      (failure) => {
        this.#die(failure);
      },
    );
  }

  /** Takes the connections of a server that came back; throws a BlockError when it is another disk. */
  #returned(opened: readonly [Opened, ...Opened[]]): void {
    const loss = lossOf(this.#remote, opened[0].remote, this.isReadOnly);
    if (loss !== null) {
      const uri = formatNbdUri(this.#dialer.address);
      const message = `disk "${this.name}": ${uri} came back and ${loss}: it is not used any more`;
      throw new BlockError("BLK_DEVICE", "ENXIO", message);
    }
    this.#scheduler.warn(`disk "${this.name}": connected again`);
    this.#connections.adopt(opened);
    for (const slot of this.#slots) {
      // What is with the server again was started since by the end of another.
      if (slot.bio === null || slot.link !== null) continue;
      // The flush behind a write speaks for a write that may be lost: both are done again.
      this.#go(slot, slot.step === Step.FlushBehind ? Step.Data : slot.step);
    }
    this.#startWaiting();
  }

  #die(failure: Error): void {
    this.#failure = failure;
    const what = `no connection any more, all fails: ${failure.message}`;
    this.#scheduler.warn(`disk "${this.name}": ${what}`);
    for (const slot of this.#slots) this.#finish(slot, BioStatus.IoError);
    for (let bio = this.#waiting.pop(); bio !== null; bio = this.#waiting.pop()) {
      this.#end(bio, BioStatus.IoError);
    }
  }
}
