import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Mismatch } from "./mismatch.ts";

/** A healthy server takes milliseconds for anything here; a busy machine some seconds. */
const HANGS_MS = 10_000;

/** Sends bytes and keeps all that comes, for as long as the connection lasts. */
export class FuzzClient {
  #socket: Socket;
  readonly #received: Buffer[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(path: string) {
    this.#socket = connect({ path, allowHalfOpen: true });
    this.#follow(this.#socket);
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  send(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  halfClose(): void {
    this.#socket.end();
  }

  vanish(): void {
    this.#socket.destroy();
  }

  /** Waits until what has come is enough, or the server closes. */
  async until(isEnough: (received: Buffer) => boolean): Promise<void> {
    await this.#wait("answer", () => isEnough(this.received));
  }

  async untilClosed(): Promise<void> {
    await this.#wait("end", () => false);
  }

  /** Goes on in TLS. Rejects when it comes to nothing. */
  async secure(options: ConnectionOptions): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners("data").pause();
    const secured = connectTls({ ...options, socket: plain });
    this.#follow(secured);
    this.#socket = secured;
    await once(secured, "secureConnect");
  }

  #follow(socket: Socket): void {
    const end = (): void => {
      this.#isOver ||= socket === this.#socket;
      this.#wake();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#received.push(bytes);
      this.#wake();
    });
    socket.on("end", end).on("close", end).on("error", end);
  }

  async #wait(what: string, isThere: () => boolean): Promise<void> {
    const hangsMs = Date.now() + HANGS_MS;
    while (!this.#isOver && !isThere()) {
      if (Date.now() > hangsMs) {
        throw new Mismatch(`the server hangs: no ${what} within ${String(HANGS_MS)} ms`);
      }
      await this.#news();
    }
  }

  /** Waits until something happens, or nothing for long. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, HANGS_MS + 1);
      this.#wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}
