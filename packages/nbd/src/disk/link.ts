import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { type Bio, collectBioViews } from "@blkstack/bio";
import { NbdError } from "../client-error.ts";
import { requestHeader, writeRequestHeader } from "../client-request.ts";
import { type Receiver, receiveChunks, receiveInto } from "../socket-reader.ts";
import { tlsReason } from "../tls-rules.ts";
import type { TurnEnd, TurnEndWork } from "../turn-end.ts";
import { Command } from "../wire.ts";
import { ReplyIntake, type ReplyTaker } from "./reply-intake.ts";
import type { Speaker } from "./silence.ts";
import type { Slot } from "./slot.ts";

/** How long a server may take to close a connection that we are done with. */
const GOODBYE_MS = 2000;

/** Data of which so much is missing is received where it is to lie. */
const DIRECT_BYTES_MIN = 16 * 1024;

const GOODBYE = { command: Command.Disconnect, flags: 0, offsetBytes: 0, lengthBytes: 0 };

/** Who hears of a connection. */
export interface LinkHost {
  readonly slots: readonly Slot[];
  readonly turnEnd: TurnEnd;
  /** Received into by whichever connection is readable: its bytes are taken before the next one is. */
  readonly receiveBuffer: Buffer;
  answered(slot: Slot, errno: number): void;
  /** Told at least once, when nothing more will come. */
  lost(link: Link, error: NbdError): void;
}

/** One connection to an export, behind the handshake. Makes neither promise nor closure per request. */
export class Link implements Receiver, ReplyTaker, Speaker, TurnEndWork {
  isDue = false;
  hasSpoken = false;
  /** Requests that were sent here and are not answered. */
  inFlight = 0;
  #socket: Socket;
  readonly #isExtended: boolean;
  readonly #host: LinkHost;
  readonly #intake: ReplyIntake;
  readonly #views: Uint8Array[] = [];
  /** Where data is being received directly. */
  #directBuffer: Uint8Array | null = null;

  constructor(socket: Socket, isExtended: boolean, host: LinkHost) {
    this.#socket = socket;
    this.#isExtended = isExtended;
    this.#host = host;
    this.#intake = new ReplyIntake(this, isExtended);
  }

  /** Takes what comes from now on; `unread` came before. */
  begin(unread: Buffer): void {
    if (this.#socket.destroyed) {
      this.#lose(new NbdError("NBD_CLOSED", "the connection is closed"));
      return;
    }
    const isSecure = "encrypted" in this.#socket;
    const socket = isSecure ? receiveChunks(this.#socket, this) : receiveInto(this.#socket, this);
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#lose(new NbdError("NBD_CLOSED", `the connection broke: ${tlsReason(error)}`));
    });
    socket.on("end", () => {
      this.#lose(new NbdError("NBD_CLOSED", "the server closed the connection"));
    });
    socket.on("close", () => {
      this.#lose(new NbdError("NBD_CLOSED", "the connection is closed"));
    });
    if (unread.length > 0) this.received(unread, unread.length);
    socket.resume();
  }

  nextBuffer(): Uint8Array {
    this.#directBuffer = this.#intake.directBuffer(DIRECT_BYTES_MIN);
    return this.#directBuffer ?? this.#host.receiveBuffer;
  }

  received(buffer: Uint8Array, end: number): boolean {
    this.hasSpoken = true;
    try {
      if (buffer === this.#directBuffer) this.#intake.arrived(end);
      else this.#intake.take(Buffer.from(buffer.buffer, buffer.byteOffset, end));
    } catch (error) {
      if (!(error instanceof NbdError)) throw error;
      this.#lose(error);
    }
    return true;
  }

  /** Sends the request of a slot, with the data of `payload`, which stays as it is until the answer. */
  send(slot: Slot, payload: Bio | null): void {
    slot.link = this;
    slot.cookie += this.#host.slots.length;
    slot.errno = 0;
    slot.coverage.reset();
    this.inFlight += 1;
    const head = this.#isExtended ? slot.extendedHead : slot.compactHead;
    writeRequestHeader(head, slot.cookie, slot, this.#isExtended);
    if (!this.isDue) {
      this.#socket.cork();
      this.#host.turnEnd.schedule(this);
    }
    this.#socket.write(head);
    if (payload === null) return;
    collectBioViews(payload, 0, this.#views, Infinity);
    for (const view of this.#views) this.#socket.write(view);
    this.#views.length = 0;
  }

  slotOf(cookie: number): Slot | null {
    const { slots } = this.#host;
    const slot = slots[cookie % slots.length];
    return slot?.cookie === cookie && slot.link === this ? slot : null;
  }

  answered(slot: Slot, errno: number): void {
    slot.link = null;
    this.inFlight -= 1;
    this.#host.answered(slot, errno);
  }

  /** Nothing is in flight. Waits: until the server has closed, or has taken too long. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
    await new Promise<void>((resolve) => {
      socket.once("close", () => {
        resolve();
      });
      socket.end(requestHeader(0, GOODBYE, this.#isExtended));
    });
    clearTimeout(timer);
  }

  /** What one turn of the event loop asks for leaves in one write. */
  atTurnEnd(): void {
    this.#socket.uncork();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #lose(error: NbdError): void {
    this.#socket.destroy();
    this.#host.lost(this, error);
  }
}
