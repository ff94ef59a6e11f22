import { EventEmitter } from "node:events";
import type { Receiver } from "../../../src/socket-reader.ts";

type Done = (error?: Error | null) => void;

interface Written {
  readonly bytes: Uint8Array;
  readonly done: Done | undefined;
}

/**
 * The server's end of a connection that is made of memory alone, with as much of a socket as the
 * server uses. Nothing happens by itself: who plays the client says when the server receives, and
 * when what it has written is taken. Only then is it looked at, as by a system that sends straight
 * from the memory of whoever writes.
 */
export class MemorySocket extends EventEmitter {
  allowHalfOpen = true;
  destroyed = false;
  /** What was taken, on the connection below as well. */
  readonly received: Buffer[];
  /** The one that goes on in TLS; null: none yet. */
  secured: MemorySocket | null = null;
  /** Whether the server receives into buffers of its own. */
  readonly isDirect: boolean;
  readonly #below: MemorySocket | null;
  #receiver: Receiver | null = null;
  /** The buffer that belongs to the receiver only while it receives. */
  #shared: Uint8Array | null = null;
  #isFlowing = false;
  /** What the client said, and has not arrived yet. */
  #coming: Buffer[] = [];
  #hasClientSaidAll = false;
  #isEndTold = false;
  #written: Written[] = [];
  #hasEnded = false;
  #isToBeDestroyed = false;
  #isClosed = false;

  constructor(isDirect: boolean, below: MemorySocket | null = null) {
    super();
    this.isDirect = isDirect && below === null;
    this.#below = below;
    this.received = below?.received ?? [];
  }

  /** Whether the server has let go of it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What was said and nobody has received; for TLS it would be junk. */
  get hasMoreComing(): boolean {
    return this.#coming.length > 0;
  }

  get isTaken(): boolean {
    return this.#written.length === 0;
  }

  connectTo(receiver: Receiver): void {
    this.#receiver = receiver;
    if (this.isDirect) this.#shared = receiver.nextBuffer();
  }

  /** Goes on in TLS, of which nothing is to be seen here. */
  secure(): MemorySocket {
    this.secured = new MemorySocket(false, this);
    return this.secured;
  }

  /** What the client says. It arrives with `pump`. */
  say(bytes: Buffer): void {
    if (bytes.length > 0 && !this.destroyed) this.#coming.push(bytes);
  }

  halfClose(): void {
    this.#hasClientSaidAll = true;
  }

  /** The client is gone without a word. */
  vanish(): void {
    if (this.destroyed) return;
    this.emit("error", new Error("the client reset the connection"));
    this.destroy();
  }

  /** Has the server receive what was said, for as long as it wants to. */
  pump(): void {
    const receiver = this.#receiver;
    while (receiver !== null && this.#isFlowing && !this.destroyed) {
      const bytes = this.#coming.shift();
      if (bytes === undefined) break;
      this.#isFlowing = this.isDirect
        ? this.#receiveInto(receiver, bytes)
        : receiver.received(bytes, bytes.length);
    }
    const isAllHere = this.#hasClientSaidAll && this.#coming.length === 0;
    if (!isAllHere || this.#isEndTold || !this.#isFlowing || this.destroyed) return;
    this.#isEndTold = true;
    this.emit("end");
    this.#closeIfOver();
  }

  /** Takes what the server has written, at most so many writes. */
  take(writesMax = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < writesMax; count += 1) {
      const written = this.#written.shift();
      if (written === undefined) break;
      this.received.push(Buffer.from(written.bytes));
      written.done?.(null);
    }
    this.#closeIfOver();
  }

  // From here on: what the server uses of a socket.

  write(bytes: Uint8Array, done?: Done): boolean {
    if (this.#hasEnded || this.destroyed) {
      queueMicrotask(() => done?.(new Error("written behind the end")));
    } else this.#written.push({ bytes, done });
    return false;
  }

  end(): this {
    this.#hasEnded = true;
    return this;
  }

  destroySoon(): void {
    this.end();
    this.#isToBeDestroyed = true;
    this.#closeIfOver();
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#coming = [];
    const lost = this.#written;
    this.#written = [];
    queueMicrotask(() => {
      for (const { done } of lost) done?.(new Error("the socket is destroyed"));
      this.#isClosed = true;
      this.emit("close");
    });
    this.secured?.destroy();
    this.#below?.destroy();
    return this;
  }

  pause(): this {
    this.#isFlowing = false;
    return this;
  }

  resume(): this {
    this.#isFlowing = true;
    return this;
  }

  cork(): void {
    return;
  }

  uncork(): void {
    return;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  getProtocol(): string {
    return "memory";
  }

  #receiveInto(receiver: Receiver, bytes: Buffer): boolean {
    const into = receiver.nextBuffer();
    const length = Math.min(into.length, bytes.length);
    into.set(bytes.subarray(0, length));
    if (length < bytes.length) this.#coming.unshift(bytes.subarray(length));
    const goesOn = receiver.received(into, length);
    // It is not the receiver's any more, and others receive into it.
    if (into.buffer === this.#shared?.buffer) into.fill(0xee, 0, length);
    return goesOn;
  }

  #closeIfOver(): void {
    if (!this.#hasEnded || !this.isTaken) return;
    if (this.#isToBeDestroyed || this.#isEndTold) this.destroy();
  }
}
