import type { Socket } from "node:net";
import type { Bytes } from "@blkstack/bio";
import { IoStats } from "@blkstack/block";
import type { Task, TimerHandle, TimerSource } from "@blkstack/task";
import { kindOfCommand } from "./command-kind.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { Dialect } from "./dialect.ts";
import type { ExportInfo, NbdExport } from "./export.ts";
import { formatOf } from "./formats.ts";
import { Handshake, type HandshakePeer, TlsMode } from "./handshake.ts";
import { Outgoing } from "./outgoing.ts";
import type { LogEvent } from "./log.ts";
import { peerOf } from "./peer.ts";
import type { Request } from "./request.ts";
import { movedBytes, type Receiver, receiveChunks, receiveInto } from "./socket-reader.ts";
import { tune } from "./socket-tuning.ts";
import type { MemoryHolder } from "./stall-watch.ts";
import { TlsSink } from "./tls-sink.ts";
import { ToldExport } from "./told-export.ts";
import { Transmission } from "./transmission.ts";
import type { TransmissionPeer } from "./transmission-options.ts";
import type { TurnEndWork } from "./turn-end.ts";
import { ReplyError } from "./wire.ts";

/** A payload of which so much is missing is received where it is to lie. */
const DIRECT_BYTES_MIN = 16 * 1024;
/** For so many turns of the event loop replies may wait for others to leave with. */
const GATHERING_TURNS = 2;
/** How long a client that was told that the server stops has for its own goodbye. */
const LINGER_MS = 500;

/** One client, from the moment it connects until nothing of it is left. */
export class Connection
  implements Receiver, TransmissionPeer, TurnEndWork, TimerSource, MemoryHolder
{
  readonly label: string;
  readonly isRetry = false;
  isDue = false;
  /** Counted from 1. */
  readonly id: number;
  /** Who is at the other end: an address and a port, or `unix`. */
  readonly peer: string;
  /** The same without the port; "" for a unix socket. */
  readonly address: string;
  /** What it had done; `inFlight` counts elsewhere. */
  readonly stats: IoStats = new IoStats();
  readonly #context: ConnectionContext;
  /** The one to talk through: from a moment on that may be TLS. */
  #socket: Socket;
  #isSecure = false;
  readonly #handshake: Handshake;
  readonly #deadline: TimerHandle;
  #transmission: Transmission | null = null;
  #outgoing: Outgoing | null = null;
  /** Replies made now are flushed by whoever collects them. */
  #isCollecting = false;
  /** Turns of the event loop until replies that are kept back leave; 0: none are. */
  #turnsLeft = 0;
  /** Where a payload is being received directly. */
  #directBuffer: Uint8Array | null = null;
  /** Nothing is received, because the transmission was blocked. */
  #isPaused = false;
  #isClosed = false;
  #isEnding = false;
  #isShuttingDown = false;
  /** Nothing more will come than what is here already. */
  #hasSaidAll = false;
  /** Ends the task, whose life is the connection's. */
  #endTask: () => void = () => undefined;

  constructor(id: number, accepted: Socket, context: ConnectionContext) {
    this.id = id;
    this.peer = peerOf(accepted);
    this.address = accepted.remoteAddress ?? "";
    this.label = `nbd client ${String(id)}`;
    this.#context = context;
    const peer: HandshakePeer = {
      send: (bytes) => {
        this.#socket.write(bytes);
      },
      startTls: (bytes) => {
        this.#socket.write(bytes, () => {
          this.#startTls();
        });
      },
      close: (reason) => {
        this.#end(reason);
      },
    };
    const { exports, limits, disabled, tls } = context;
    const offer = { disabled, tls: tls?.mode ?? TlsMode.Off };
    this.#handshake = new Handshake(exports, limits, peer, offer);
    if (context.sockets !== null) tune(accepted, context.sockets);
    this.#socket = receiveInto(accepted, this);
    this.#socket.setKeepAlive(true, limits.keepAliveMs);
    this.#follow(this.#socket);
    this.#deadline = context.scheduler.startTimer(this, context.limits.handshakeMs);
    this.#log("debug", "connected", "connected");
    this.#handshake.start();
    this.#socket.resume();
  }

  get isHalfOpen(): boolean {
    return this.#transmission === null;
  }

  /** Null: it has not chosen one. */
  get entry(): NbdExport | null {
    return this.#handshake.chosen;
  }

  /** Requests that were read and whose reply has not gone. */
  get inFlight(): number {
    return this.#transmission?.inFlight ?? 0;
  }

  get stuckBytes(): Bytes {
    const transmission = this.#transmission;
    if (transmission === null || this.#isClosed) return 0;
    const isStuck = transmission.isArriving || this.#outgoing?.isIdle === false;
    return isStuck ? transmission.heldBytes : 0;
  }

  get movedBytes(): Bytes {
    return movedBytes(this.#socket);
  }

  blockers(): readonly object[] {
    return [];
  }

  /** The handshake took too long. */
  fire(): void {
    this.destroy("took too long to choose an export");
  }

  /** The server stops: answers what is in flight, and that it stops to whatever comes, then closes. */
  shutDown(): void {
    if (this.#transmission === null) this.destroy("still negotiates while the server stops");
    else if (!this.#transmission.isBusy) this.#finish(this.#transmission);
    else {
      this.#isShuttingDown = true;
      this.#transmission.refuse();
    }
  }

  /** Answers what is in flight, then closes. */
  #finish(transmission: Transmission): void {
    // Not a byte more: it could be on its way into memory that `stop` gives back.
    this.#socket.pause();
    transmission.stop();
    this.#context.turnEnd.schedule(this);
  }

  /** Closes at once. What the device still works at is forgotten when it ends. */
  destroy(reason: string): void {
    if (this.#isClosed) return;
    this.#isEnding = true;
    this.#log("info", "closed", `closed: ${reason}`);
    this.#socket.destroy();
    this.#socketClosed();
  }

  nextBuffer(): Uint8Array {
    const { headerBuffer, receiveBuffer } = this.#context;
    const next = this.#transmission?.directBuffer(DIRECT_BYTES_MIN) ?? null;
    // After a long payload mostly comes another, which had better not come along with its header.
    const other = this.#directBuffer === null ? receiveBuffer : headerBuffer;
    this.#directBuffer = next;
    return next ?? other;
  }

  received(buffer: Uint8Array, end: number): boolean {
    if (this.#isClosed || this.#isEnding) return true;
    this.#context.vigil.heard();
    this.#isCollecting = true;
    if (this.#transmission === null) this.#negotiate(asBuffer(buffer).subarray(0, end));
    else if (buffer === this.#directBuffer) this.#transmission.arrived(end);
    else this.#transmission.push(asBuffer(buffer), end);
    this.#isCollecting = false;
    this.#flushOrGather();
    this.#isPaused = this.#transmission?.isBlocked === true;
    return !this.#isPaused && !this.#handshake.isStartingTls;
  }

  /**
   * Sends what is ready, or keeps it back while more requests may be on their way: the next ones are
   * read first, and one write serves them all. A client that waits for its only reply has it at once.
   */
  #flushOrGather(): void {
    const [outgoing, transmission] = [this.#outgoing, this.#transmission];
    if (outgoing === null || transmission === null) return;
    if (!outgoing.isWorthWaiting || transmission.isBlocked || transmission.inFlight === 1) {
      this.#turnsLeft = 0;
      outgoing.flush();
    } else if (this.#turnsLeft === 0) {
      this.#turnsLeft = GATHERING_TURNS;
      this.#context.turnEnd.schedule(this);
    }
  }

  reply(request: Request): void {
    const kind = kindOfCommand(request.command);
    const startMs = request.startMs[0] ?? 0;
    const nowMs = this.#context.scheduler.clock.nowMs();
    if (request.error === ReplyError.Ok) {
      this.stats.count(kind, request.lengthBytes, startMs, nowMs);
    } else {
      this.stats.countError(kind, startMs, nowMs);
    }
    this.#outgoing?.push(request);
    if (!this.#isCollecting) this.#context.turnEnd.schedule(this);
  }

  canProceed(): void {
    this.#context.turnEnd.schedule(this);
  }

  fail(reason: string): void {
    this.destroy(reason);
  }

  atTurnEnd(): void {
    const transmission = this.#transmission;
    if (transmission === null) return;
    this.#isCollecting = true;
    transmission.proceed();
    this.#isCollecting = false;
    if (this.#turnsLeft > 0) this.#turnsLeft -= 1;
    if (this.#turnsLeft > 0) this.#context.turnEnd.schedule(this);
    else this.#outgoing?.flush();
    if (this.#hasSaidAll && !transmission.isOver && !transmission.isBlocked) {
      this.#finish(transmission);
    } else if (this.#isPaused) this.#resumeIfFree();
    this.#endIfFinished();
  }

  #resumeIfFree(): void {
    const isOver = this.#isClosed || this.#isEnding || this.#transmission?.isOver === true;
    if (isOver || this.#transmission?.isBlocked === true) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #negotiate(bytes: Buffer): void {
    this.#socket.cork();
    const taken = this.#handshake.push(bytes);
    this.#socket.uncork();
    if (this.#handshake.isStartingTls && taken < bytes.length) {
      // Whoever sits in between may have put it there, to be taken for what the client says by TLS.
      this.destroy("said more in clear after it asked for TLS");
      return;
    }
    const { chosen, described } = this.#handshake;
    if (chosen === null || described === null) return;
    this.#deadline.cancel();
    this.#begin(chosen, described);
    this.#transmission?.push(bytes.subarray(taken), bytes.length - taken);
  }

  #follow(socket: Socket): void {
    socket.on("error", (error) => {
      this.#log("debug", "socket", `socket: ${error.message}`);
    });
    socket.on("end", () => {
      if (socket === this.#socket) this.#clientSaidAll();
    });
    socket.on("close", () => {
      this.#socketClosed();
    });
  }

  #startTls(): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#context.tls?.accept(this.#socket, {
      secured: (socket) => {
        this.#follow(socket);
        if (this.#isClosed || this.#isEnding) {
          socket.destroy();
          return;
        }
        this.#socket = socket;
        this.#isSecure = true;
        this.#log("debug", "tls", `speaks ${socket.getProtocol() ?? "TLS"}`);
        this.#handshake.secured();
        receiveChunks(socket, this);
      },
      failed: (reason) => {
        if (!this.#isEnding) this.#log("info", "tls", `TLS failed: ${reason}`);
        this.#socket.destroy();
      },
    });
  }

  #begin(entry: NbdExport, described: ExportInfo): void {
    const { limits, scheduler } = this.#context;
    const { dialect, selection } = this.#handshake;
    const { contexts } = selection;
    const task: Task = scheduler.spawn(this.label, () => this.#life());
    const transmission = new Transmission({
      backend: this.#context.openBackend(entry),
      described: new ToldExport(described, entry.device, {
        requestBytesMax: limits.requestBytesMax,
        contextCount: contexts.length,
        isExtended: dialect === Dialect.Extended,
        keepsBlockSize: this.#handshake.keepsBlockSize,
      }),
      dialect,
      contexts,
      limits,
      replyMemory: this.#context.replyMemory,
      task,
      peer: this,
    });
    this.#transmission = transmission;
    this.#outgoing = new Outgoing({
      sink: this.#isSecure ? new TlsSink(this.#socket, this.#context.replyMemory) : this.#socket,
      format: formatOf(dialect),
      memory: this.#context.replyMemory,
      release: (request) => {
        transmission.release(request);
      },
      onWritten: () => {
        this.#endIfFinished();
      },
    });
    this.#log("debug", "chosen", `uses export "${entry.name}"`);
    this.#watchIdle(limits.idleMs);
    this.#context.begun(this);
  }

  /** A device may take its time; a client that waits for nothing may not. */
  #watchIdle(idleMs: number): void {
    if (!Number.isFinite(idleMs)) return;
    let wasDeviceSlow = false;
    this.#socket.on("timeout", () => {
      const isDeviceSlow =
        this.#outgoing?.isIdle === true && this.#transmission?.isServing === true;
      // What the device ended a moment ago is on its way: the client's time begins with it.
      if (isDeviceSlow || wasDeviceSlow) this.#socket.setTimeout(idleMs);
      else this.destroy("neither says nor takes anything");
      wasDeviceSlow = isDeviceSlow;
    });
    this.#socket.setTimeout(idleMs);
  }

  #life(): Promise<void> | undefined {
    if (this.#isClosed && this.#transmission?.isFinished === true) return undefined;
    return new Promise((resolve) => {
      this.#endTask = resolve;
    });
  }

  /** The client may have sent its last request and still wait for replies. */
  #clientSaidAll(): void {
    if (this.#transmission === null) this.#end("left before it chose an export");
    else if (this.#isEnding) this.#socket.destroySoon();
    // TLS tells of the end while what came before it is kept here.
    else if (this.#transmission.isBlocked) this.#hasSaidAll = true;
    else this.#finish(this.#transmission);
  }

  #end(reason: string): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    this.#log("debug", "disconnected", reason);
    this.#socket.end();
    if (this.#isShuttingDown) this.#linger();
    else this.#socket.destroySoon();
  }

  /**
   * Listens for a while to what a client goes on to say: to close on unread bytes tells TCP that they
   * are lost, and the replies before them may be lost with them.
   */
  #linger(): void {
    this.#socket.resume();
    const fire = (): void => {
      this.#socket.destroy();
    };
    const goodbye = { label: `goodbye of ${this.label}`, isRetry: false, blockers: () => [], fire };
    const giveUp = this.#context.scheduler.startTimer(goodbye, LINGER_MS);
    this.#socket.once("close", () => {
      giveUp.cancel();
    });
  }

  #endIfFinished(): void {
    if (this.#transmission?.isFinished !== true) return;
    if (this.#isClosed) this.#gone();
    else if (this.#outgoing?.isIdle === true) this.#end("disconnected");
  }

  #socketClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#transmission?.close();
    this.#outgoing?.abandon();
    if (this.#transmission === null || this.#transmission.isFinished) this.#gone();
    this.#context.closed(this);
  }

  /** Neither the socket nor the device knows of this client any more. */
  #gone(): void {
    this.#endTask();
    this.#context.gone(this);
  }

  #log(level: LogEvent["level"], event: LogEvent["event"], message: string): void {
    const { id, peer, entry } = this;
    this.#context.log({ level, event, connection: id, peer, export: entry?.name ?? null, message });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
