import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How long a server may take to have room for one client more, and how often it is asked. */
const BACKLOG_MS = 5000;
const BACKLOG_RETRY_MS = 10;

/** A client that sends what it is told, right or wrong, and reads what comes. */
export class RawClient {
  readonly socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;
  readonly #receive = (bytes: Buffer): void => {
    this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    this.#wake();
  };

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", this.#receive);
    const end = (): void => {
      this.#hasEnded = true;
      this.#wake();
    };
    // A reset is an end like any other: the tests ask whether, not how.
    socket.on("error", end).on("close", end).on("end", end);
  }

  /** Goes on with a connection that somebody else has made, or that now speaks something else. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  static async open(path: string): Promise<RawClient> {
    const untilMs = Date.now() + BACKLOG_MS;
    for (;;) {
      try {
        return new RawClient(await connected(path));
      } catch (error) {
        // Too many have come at once: by TCP one would wait, and never know.
        const isFull = (error as NodeJS.ErrnoException).code === "EAGAIN";
        if (!isFull || Date.now() > untilMs) throw error;
        await delay(BACKLOG_RETRY_MS);
      }
    }
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Waits for `count` bytes; throws when the server ends before, or is silent for 10 s. */
  async read(count: number): Promise<Buffer> {
    while (this.#receivedBytes < count) {
      if (this.#hasEnded) {
        throw new Error(
          `the server closed after ${String(this.#receivedBytes)} of ${String(count)} bytes`,
        );
      }
      await this.#news(`${String(count)} bytes`);
    }
    const all = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received);
    const rest = all?.subarray(count) ?? Buffer.alloc(0);
    this.#received = [rest];
    this.#receivedBytes = rest.length;
    return all?.subarray(0, count) ?? rest;
  }

  /** Waits until the server closes; answers what it had still sent. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#hasEnded) await this.#news("the end");
    return Buffer.concat(this.#received);
  }

  /** Leaves the connection to whoever reads from it next; what has come already is not for them. */
  release(): Socket {
    this.socket.off("data", this.#receive);
    return this.socket;
  }

  /** Goes away without a word. */
  vanish(): void {
    this.socket.destroy();
  }

  async #news(what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timeout = setTimeout(() => {
        reject(new Error(`no ${what} within 10 s`));
      }, 10_000);
      this.#wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
