import type { Socket } from "node:net";
import type { BioSet } from "@blkstack/bio-set";
import { BlockError, IoStats, type Submitter } from "@blkstack/block";
import { type Bytes, invariant } from "@blkstack/bio";
import type { Memory } from "@blkstack/memory";
import { type Scheduler, type Task, WaitQueue } from "@blkstack/task";
import { Connected } from "./connected.ts";
import { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ExportBackend, exportBios } from "./export-backend.ts";
import { ExportTable, type NbdExport } from "./export.ts";
import type { NbdFeature } from "./features.ts";
import { HalfOpen } from "./half-open.ts";
import { type NbdLimits, resolveLimits } from "./limits.ts";
import { type ListenAddress, Listener } from "./listener.ts";
import type { Log } from "./log.ts";
import { PayloadPages } from "./payload-pages.ts";
import { peerOf } from "./peer.ts";
import { ReplyMemory } from "./reply-memory.ts";
import { type ServerTls, TlsAcceptor } from "./server-tls.ts";
import type { SocketTuning } from "./socket-tuning.ts";
import { StallWatch } from "./stall-watch.ts";
import { TurnEnd } from "./turn-end.ts";
import { formatNbdUri } from "./uri.ts";
import { Vigil } from "./vigil.ts";

export interface NbdServerOptions {
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly exports: readonly NbdExport[];
  /** Or what answers them once the exports have their reserves, to leave the rest to clients. */
  readonly limits?: Partial<NbdLimits> | (() => Partial<NbdLimits>);
  readonly log?: Log;
  /** What clients are not to be offered, though it is there. */
  readonly disable?: readonly NbdFeature[];
  /** With what TLS is spoken. Default: it is not. */
  readonly tls?: ServerTls;
  /** Asks the system for more room where long replies need it. Default: nobody does. */
  readonly sockets?: SocketTuning | null;
  /**
   * How long the event loop is kept awake after a client was heard, as long as that is mostly not in
   * vain, in microseconds; 0: not at all. Default 50; never with a single processor.
   */
  readonly vigilUs?: number;
}

/** One address that a server can be reached at. */
export interface Listening {
  /** As clients take it: `nbd+unix:///?socket=…` or `nbd://…`. */
  readonly uri: string;
  /** The TCP port, also when any was asked for; null for a unix socket. */
  readonly port: number | null;
  /** The address of TCP that was bound; empty for a unix socket. */
  readonly host: string;
  /** Of a unix socket, unless it was inherited and nobody knows its path; else empty. */
  readonly path: string;
}

export interface NbdServerCounters {
  /** Clients that have not yet chosen an export. */
  readonly halfOpen: number;
  readonly connections: number;
  /** Pages that payload lies in. */
  readonly pagesInUse: number;
  /** What else waits to be told, in bytes. */
  readonly replyBytes: Bytes;
}

/** A client that has chosen its export, and what it has had done. */
export interface ConnectionReport {
  /** Counted from 1; never given again. */
  readonly id: number;
  readonly export: string;
  /** `127.0.0.1:40210`, or `unix`. */
  readonly peer: string;
  readonly stats: IoStats;
}

/** What is received lies here until it is parsed; longer payloads go where they belong. */
const RECEIVE_BYTES = 64 * 1024;
/** Beside what payload may take: what else replies are made of. */
const REPLY_PART = 1 / 8;
const HEADER_BUFFER_BYTES = 4096;
const VIGIL_US = 50;

/** Serves block devices to NBD clients. */
export class NbdServer {
  readonly #context: ConnectionContext;
  readonly #pages: PayloadPages;
  readonly #replyMemory: ReplyMemory;
  readonly #stalls: StallWatch;
  readonly #memory: Memory;
  readonly #submitter: Submitter;
  readonly #bios = new Map<NbdExport, BioSet>();
  readonly #backends = new Map<NbdExport, ExportBackend>();
  /** What clients have had done that are gone. */
  readonly #past = new Map<NbdExport, IoStats>();
  readonly #listeners: Listener[] = [];
  readonly #halfOpen: HalfOpen<Connection>;
  readonly #connected: Connected<Connection>;
  /** Both, and those whose socket is closed but not their work. */
  readonly #alive = new Set<Connection>();
  #lastId = 0;
  #isClosing = false;
  #onQuiet: () => void = () => undefined;
  readonly #departures: WaitQueue = new WaitQueue("nbd clients of an export that is removed");

  /** Throws a BlockError for limits or exports that are none, and without memory for the reserves. */
  constructor(options: NbdServerOptions) {
    const { scheduler, submitter, memory, limits: given } = options;
    const exports = new ExportTable(options.exports);
    // Now, and not with the first client: by then others may have all the memory.
    for (const entry of options.exports) {
      submitter.addDevice?.(entry.device);
      this.#bios.set(entry, exportBios(entry, options));
    }
    const limits = resolveLimits(typeof given === "function" ? given() : given);
    this.#halfOpen = new HalfOpen(limits);
    this.#connected = new Connected(limits);
    this.#stalls = new StallWatch(this.#connected, scheduler, limits.stallMs);
    const pages = new PayloadPages(memory, limits, this.#stalls);
    this.#pages = pages;
    this.#replyMemory = new ReplyMemory(limits.serverBytesMax * REPLY_PART);
    this.#memory = memory;
    this.#submitter = submitter;
    const receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    this.#context = {
      scheduler,
      limits,
      exports,
      disabled: new Set(options.disable),
      tls: options.tls === undefined ? null : new TlsAcceptor(options.tls),
      turnEnd: new TurnEnd(),
      vigil: new Vigil(scheduler.clock, options.vigilUs ?? VIGIL_US),
      sockets: options.sockets ?? null,
      receiveBuffer,
      headerBuffer: receiveBuffer.subarray(0, HEADER_BUFFER_BYTES),
      replyMemory: this.#replyMemory,
      log: options.log ?? (() => undefined),
      openBackend: (entry) => this.#openBackend(entry, { scheduler, submitter, memory, pages }),
      begun: (connection) => {
        this.#begun(connection);
      },
      closed: (connection) => {
        this.#halfOpen.delete(connection);
        this.#connected.delete(connection);
      },
      gone: (connection) => {
        this.#alive.delete(connection);
        if (connection.entry !== null) this.#pastOf(connection.entry).add(connection.stats);
        this.#departures.wakeAll();
        if (this.#alive.size === 0) this.#onQuiet();
      },
    };
  }

  get counters(): NbdServerCounters {
    return {
      halfOpen: this.#halfOpen.size,
      connections: this.#connected.size,
      pagesInUse: this.#pages.usedPages,
      replyBytes: this.#replyMemory.usedBytes,
    };
  }

  /**
   * Starts to listen. A unix socket is for its owner alone and removed on close; TCP is the
   * loopback's unless told. A socket that was inherited stays with whoever made it.
   *
   * Waits: until clients can connect. Refuses a path in use with EBUSY; a socket that nobody
   * listens to any more is replaced.
   */
  async listen(address: ListenAddress): Promise<Listening> {
    const listener = await Listener.open(address, (socket) => {
      this.#accept(socket);
    });
    if (this.#isClosing) {
      await listener.close();
      throw new BlockError("BLK_STATE", "EINVAL", "this server is closed");
    }
    this.#listeners.push(listener);
    const { port, host, path } = listener;
    const uri = formatNbdUri(port === null ? { unix: path } : { host, port });
    return { uri, port, host, path };
  }

  /** Offers one more device. Throws EINVAL for a name that is taken or cannot be, ENOMEM without memory. */
  addExport(entry: NbdExport): void {
    const { scheduler, exports } = this.#context;
    exports.add(entry);
    try {
      this.#bios.set(entry, exportBios(entry, { scheduler, memory: this.#memory }));
    } catch (error) {
      exports.delete(entry);
      throw error;
    }
    this.#submitter.addDevice?.(entry.device);
  }

  /**
   * Offers an export no more. Throws ENOENT when there is none of that name, EBUSY while clients use
   * it; `force` closes their connections.
   *
   * Waits: until nothing of it is in flight, so that its device can be removed.
   */
  async removeExport(
    name: string,
    task: Task,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<void> {
    const { exports } = this.#context;
    const entry = exports.get(name);
    if (entry === undefined) {
      throw new BlockError("BLK_STATE", "ENOENT", `there is no export "${name}"`);
    }
    const clients = this.#clientsOf(entry);
    if (clients.length > 0 && !force) {
      const message = `export "${name}" is in use by ${String(clients.length)} clients`;
      throw new BlockError("BLK_STATE", "EBUSY", message);
    }
    exports.delete(entry);
    for (const client of clients) client.destroy("its export is removed");
    while (this.#clientsOf(entry).length > 0) await this.#departures.sleep(task);
    const bios = this.#bios.get(entry);
    this.#bios.delete(entry);
    this.#backends.delete(entry);
    this.#past.delete(entry);
    await bios?.destroy(task);
  }

  /**
   * Other certificates or keys, for clients that come from now on; those that there are go on as they
   * are. Answers what puts them to use, and never throws. Whether TLS must be spoken stays.
   *
   * Throws a BlockError for certificates and keys that are none, and EINVAL for a server that speaks no
   * TLS; then all stays as it is.
   */
  prepareTls(tls: ServerTls): () => void {
    const { tls: acceptor } = this.#context;
    if (acceptor !== null) return acceptor.prepare(tls);
    throw new BlockError("BLK_STATE", "EINVAL", "this server speaks no TLS");
  }

  /** How many clients use an export; those that are gone but not their work count, too. */
  clientCount(name: string): number {
    const entry = this.#context.exports.get(name);
    return entry === undefined ? 0 : this.#clientsOf(entry).length;
  }

  /** What the clients of an export have had done since it is there, `inFlight` included. */
  statsOf(name: string): IoStats {
    const stats = new IoStats();
    const entry = this.#context.exports.get(name);
    if (entry === undefined) return stats;
    stats.add(this.#pastOf(entry));
    for (const connection of this.#clientsOf(entry)) stats.add(reportOf(connection).stats);
    return stats;
  }

  /** The clients that use an export, in order of arrival; at most so many. */
  connections(max?: number): ConnectionReport[] {
    const reports: ConnectionReport[] = [];
    for (const connection of this.#connected) {
      if (reports.length === max) break;
      reports.push(reportOf(connection));
    }
    return reports;
  }

  /**
   * Stops: no more clients; what is in flight is answered, and whatever comes meanwhile with
   * ESHUTDOWN, for `closeMs` at the most. Then every connection is closed.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#stalls.stop();
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
    for (const connection of [...this.#alive]) connection.shutDown();
    if (this.#alive.size > 0) await this.#quiet();
    // Devices still have bios of whoever is left.
    if (this.#alive.size === 0) await this.#giveBackBios();
    for (const connection of [...this.#alive]) connection.destroy("the server stops");
  }

  #giveBackBios(): Promise<void> {
    const sets = [...this.#bios.values()];
    this.#bios.clear();
    return new Promise((resolve, reject) => {
      const destroy = async (task: Task): Promise<void> => {
        for (const set of sets) await set.destroy(task);
      };
      this.#context.scheduler.spawn("nbd close", (task) => destroy(task).then(resolve, reject));
    });
  }

  #pastOf(entry: NbdExport): IoStats {
    let past = this.#past.get(entry);
    if (past === undefined) {
      past = new IoStats();
      this.#past.set(entry, past);
    }
    return past;
  }

  #clientsOf(entry: NbdExport): Connection[] {
    return [...this.#alive].filter((connection) => connection.entry === entry);
  }

  /** Waits: until no connection is left, or time is up. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      const timeout = this.#context.scheduler.startTimer(
        { label: "nbd close", isRetry: false, blockers: () => [], fire: resolve },
        this.#context.limits.closeMs,
      );
      this.#onQuiet = () => {
        timeout.cancel();
        resolve();
      };
    });
  }

  #accept(socket: Socket): void {
    const why = this.#isClosing
      ? "the server stops"
      : this.#connected.fullFor(socket.remoteAddress ?? "");
    if (why !== null) {
      this.#turnAway(socket, why);
      return;
    }
    this.#lastId += 1;
    const connection = new Connection(this.#lastId, socket, this.#context);
    this.#alive.add(connection);
    this.#halfOpen.admit(connection)?.destroy("negotiates for longest of too many");
  }

  #turnAway(socket: Socket, why: string): void {
    const peer = peerOf(socket);
    socket.on("error", () => undefined);
    socket.destroy();
    this.#context.log({
      level: "warn",
      event: "refused",
      connection: 0,
      peer,
      export: null,
      message: `turned a client away: ${why}`,
    });
  }

  #begun(connection: Connection): void {
    this.#halfOpen.delete(connection);
    const why = this.#connected.fullFor(connection.address);
    this.#connected.add(connection);
    // Others have chosen while it negotiated.
    if (why !== null) connection.destroy(why);
  }

  #openBackend(
    entry: NbdExport,
    context: ConstructorParameters<typeof ExportBackend>[2],
  ): ExportBackend {
    let backend = this.#backends.get(entry);
    if (backend === undefined) {
      const bios = this.#bios.get(entry);
      invariant(bios !== undefined, `an export "${entry.name}" that nobody serves`);
      backend = new ExportBackend(entry, bios, context);
      this.#backends.set(entry, backend);
    }
    return backend;
  }
}

function reportOf({ id, entry, peer, stats, inFlight }: Connection): ConnectionReport {
  const now = new IoStats();
  now.add(stats);
  now.inFlight = inFlight;
  return { id, export: entry?.name ?? "", peer, stats: now };
}
