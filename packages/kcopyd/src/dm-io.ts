import {
  type Bio,
  BioFlag,
  BioOp,
  BioState,
  BioStatus,
  type Bytes,
  invariant,
  isBio,
  isWriteOp,
} from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { BlockError, type Submitter } from "@blkstack/block";
import { type Memory, Slab } from "@blkstack/memory";
import { Mempool, OutOfMemoryError } from "@blkstack/mempool";
import {
  assertMaySleep,
  type Awaitable,
  Completion,
  GFP_NOIO,
  isPending,
  type Scheduler,
  type Task,
  type Waitable,
} from "@blkstack/task";
import { type IoListener, IoRecord, type IoRequest } from "./io-record.ts";
import { SentPart } from "./sent-part.ts";

/** Requests, and bios, that can be under way with no memory at all. */
const RESERVE = 16;
const REGIONS_MAX = 64;
/** What a request takes, about: it is for a budget. */
const RECORD_BYTES: Bytes = 192;

// Constants of this module are part of the machine code; what is imported is looked up each time.
const READ = BioOp.Read;
const OK = BioStatus.Ok;
const CLONED = BioState.Cloned;

export interface DmIoClientOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** The way down. It is to cut bios that a device cannot take at once. */
  readonly submitter: Submitter;
}

/**
 * Reads or writes regions of devices, several at once: mirrors of the same data.
 *
 * 16 requests and 16 bios can be under way with no memory at all; each bio is submitted before the
 * next is allocated. The bios use the request's own table of vectors.
 */
export class DmIoClient implements Waitable {
  readonly label: string;
  readonly #submitter: Submitter;
  readonly #records: Mempool<IoRecord>;
  readonly #bios: BioSet;

  /** Throws a `BlockError` (ENOMEM) when there is no memory for the reserve. */
  constructor({ name, scheduler, memory, submitter }: DmIoClientOptions) {
    this.label = `dm-io "${name}"`;
    this.#submitter = submitter;
    const home = {
      recordEnded: (record: IoRecord) => {
        this.#end(record);
      },
    };
    const make = (): IoRecord => new IoRecord(home, scheduler.isExploring);
    const label = `requests of ${this.label}`;
    const allocator = new Slab(memory, label, make, { elementBytes: RECORD_BYTES });
    this.#records = reserved(() => new Mempool({ scheduler, label, allocator, minNr: RESERVE }));
    const frontPad = (): SentPart => new SentPart();
    this.#bios = new BioSet({ name: this.label, scheduler, memory, poolSize: RESERVE, frontPad });
  }

  /** Requests under way. */
  get requests(): number {
    return this.#records.liveCount;
  }

  /** The pools of requests and of bios: what a sender may wait for, and a report may want to name. */
  get reserves(): readonly Waitable[] {
    return [this.#records, this.#bios.bioPool];
  }

  /** The requests under way; known only while exploring. */
  blockers(): readonly object[] {
    return this.#records.blockers();
  }

  /** Those of them that tell `listener` of their end; known only while exploring. */
  requestsOf(listener: IoListener): readonly object[] {
    return this.#records.blockers().filter((record) => {
      return record instanceof IoRecord && record.listener === listener;
    });
  }

  /**
   * Sends a request, and has `listener` told once how it ended, perhaps before this returns.
   *
   * The buffers of what could not be read are zeroed. Empty regions are left out, but a request with
   * PREFLUSH flushes their device. An `InvariantError` for more than 64 regions, or for other than
   * one to read from.
   * Waits: for one of 16 requests and for one of 16 bios to end when memory is short, and as long as
   * the devices take to accept. So it is not to be called from inside a driver.
   */
  io(request: IoRequest, listener: IoListener, task: Task): Awaitable<void> {
    const { length } = request.regions;
    if (length > REGIONS_MAX || length === 0 || (length !== 1 && request.op === READ)) {
      invariant(false, `${this.label}: ${String(length)} regions of one request`);
    }
    const record = this.#records.alloc(GFP_NOIO, task);
    if (isPending(record)) return this.#ioLate(record, request, listener, task);
    return this.#begin(record, request, listener, task);
  }

  /**
   * Sends a request and answers its error bits, as `IoListener` has them.
   *
   * Waits: until it has ended. Never to be called from inside a driver call of the same task: its bios
   * would be parked on the task until that call returns, and it would not. An `InvariantError` says
   * so instead.
   */
  ioAndWait(request: IoRequest, task: Task): Awaitable<bigint> {
    assertMaySleep(task, this.label);
    if (task.bioLists !== null) {
      const [region] = request.regions;
      const where = region?.device.name ?? "no device";
      invariant(false, `${task.name} would wait for I/O to ${where} that it parks itself`);
    }
    const end = new AwaitedEnd();
    const sync = { ...request, flags: request.flags | BioFlag.Sync };
    const sent = this.io(sync, end, task);
    if (isPending(sent)) return sent.then(() => this.#awaitEnd(end, task));
    return end.errorBits ?? this.#awaitEnd(end, task);
  }

  /** Nothing may be under way. Waits: never. */
  destroy(task: Task): Awaitable<void> {
    this.#records.destroy();
    return this.#bios.destroy(task);
  }

  async #ioLate(
    late: Promise<IoRecord | null>,
    request: IoRequest,
    listener: IoListener,
    task: Task,
  ): Promise<void> {
    await this.#begin(await late, request, listener, task);
  }

  #begin(
    record: IoRecord | null,
    request: IoRequest,
    listener: IoListener,
    task: Task,
  ): Awaitable<void> {
    if (record === null) invariant(false, `${this.label}: no request although it may wait`);
    record.begin(request, listener);
    while (record.advance()) {
      const sending = this.#sendOne(record, task);
      if (sending !== undefined) return this.#sendRest(sending, record, task);
    }
    record.drop();
  }

  async #sendRest(sending: Promise<void>, record: IoRecord, task: Task): Promise<void> {
    await sending;
    while (record.advance()) await this.#sendOne(record, task);
    record.drop();
  }

  #sendOne(record: IoRecord, task: Task): Awaitable<void> {
    const bio = this.#bios.alloc(GFP_NOIO, 0, task);
    if (bio === null || !isBio(bio)) return this.#sendLate(bio, record, task);
    return this.#send(bio, record, task);
  }

  async #sendLate(late: Promise<Bio | null> | null, record: IoRecord, task: Task): Promise<void> {
    const bio = await late;
    if (bio === null) invariant(false, `${this.label}: no bio although it may wait`);
    await this.#send(bio, record, task);
  }

  #send(bio: Bio, record: IoRecord, task: Task): Awaitable<void> {
    const { regionIndex } = record;
    if (!record.fill(bio)) {
      bio.put();
      return;
    }
    // The table of vectors is the request's, and nobody adds to it.
    bio.state |= CLONED;
    bio.endIo = endPart;
    (bio.pad as SentPart).remember(bio, record, regionIndex);
    record.sent(bio);
    return this.#submitter.submitBio(bio, task);
  }

  async #awaitEnd(end: AwaitedEnd, task: Task): Promise<bigint> {
    while (end.errorBits === null) await end.wait(task, this);
    return end.errorBits;
  }

  /** Interrupt context. */
  #end(record: IoRecord): void {
    const { errorBits, listener } = record;
    record.clear();
    this.#records.free(record);
    listener?.ioEnded(errorBits);
  }
}

/** Interrupt context. */
function endPart(bio: Bio): void {
  const part = bio.pad as SentPart;
  const { record } = part;
  if (record === null) invariant(false, "a bio of dm-io ended twice");
  if (bio.status !== OK) {
    record.fail(part.regionIndex);
    if (!isWriteOp(bio.op)) part.zeroMemory();
  }
  part.record = null;
  record.bioEnded(bio);
  bio.put();
  record.drop();
}

/** Hears of the end of a request that somebody waits for. */
class AwaitedEnd implements IoListener {
  errorBits: bigint | null = null;
  #completion: Completion | null = null;

  ioEnded(errorBits: bigint): void {
    this.errorBits = errorBits;
    this.#completion?.complete();
  }

  /** Waits: until the end, which has not come yet. */
  wait(task: Task, client: DmIoClient): Awaitable<boolean> {
    const { scheduler } = task;
    const blockers = (): readonly object[] => client.requestsOf(this);
    this.#completion ??= new Completion(`end of I/O of ${client.label}`, { scheduler, blockers });
    return this.#completion.wait(task);
  }
}

/** What a pool says of having no memory, as whoever sets up a device wants to hear it. */
export function reserved<T>(create: () => T): T {
  try {
    return create();
  } catch (cause) {
    if (!(cause instanceof OutOfMemoryError)) throw cause;
    throw new BlockError("BLK_STATE", cause.errno, cause.message, { cause });
  }
}
