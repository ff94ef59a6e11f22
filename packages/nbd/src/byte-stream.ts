import { connect, type Socket } from "node:net";
import type { Bytes } from "@blkstack/bio";
import { NbdError, protocolError } from "./client-error.ts";
import { type ClientTls, readClientTls, startTls } from "./client-tls.ts";
import { NBD_PORT } from "./listener.ts";
import { tlsReason } from "./tls-rules.ts";

/** Where a server is. */
export type ServerAddress = (
  { readonly unix: string } | { readonly host: string; readonly port?: number }
) & {
  /** Absent: nothing is secret. With it, a server that does not speak TLS is refused. */
  readonly tls?: ClientTls;
};

interface Waiter {
  readonly length: Bytes;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** So much may lie here unread; then the server has to wait. */
const UNREAD_BYTES_MAX = 1024 * 1024;

/** A socket from which bytes are taken by number. One taker at a time. */
export class ByteStream {
  #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #waiter: Waiter | null = null;
  #end: Error | null = null;
  #closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#closed = this.#follow(socket);
  }

  /** Takes what a socket receives. Answers when it will be closed. */
  #follow(socket: Socket): Promise<void> {
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#serve();
      if (this.#bytes >= UNREAD_BYTES_MAX && this.#waiter === null) socket.pause();
    });
    socket.on("error", (error) => {
      this.#fail(new NbdError("NBD_CLOSED", `the connection broke: ${tlsReason(error)}`));
    });
    socket.on("end", () => {
      this.#fail(new NbdError("NBD_CLOSED", "the server closed the connection"));
    });
    return new Promise((resolve) => {
      socket.on("close", () => {
        this.#fail(new NbdError("NBD_CLOSED", "the connection is closed"));
        resolve();
      });
    });
  }

  /**
   * Waits: until the server is reached. Throws NbdError `NBD_CLOSED` when it cannot be. `signal` ends
   * the connection whenever it comes.
   */
  static connect(address: ServerAddress, signal?: AbortSignal): Promise<ByteStream> {
    const until = signal === undefined ? {} : { signal };
    return new Promise((resolve, reject) => {
      const socket =
        "unix" in address
          ? connect({ path: address.unix, ...until })
          : connect({
              host: address.host,
              port: address.port ?? NBD_PORT,
              noDelay: true,
              keepAlive: true,
              ...until,
            });
      const refuse = (error: Error): void => {
        reject(new NbdError("NBD_CLOSED", `cannot connect: ${error.message}`));
      };
      socket.once("error", refuse);
      socket.once("connect", () => {
        socket.off("error", refuse);
        resolve(new ByteStream(socket));
      });
    });
  }

  /**
   * Goes on in TLS. Waits: for the server. Throws NbdError `NBD_TLS`, and `NBD_PROTOCOL` when the server
   * has said more in clear than was asked.
   */
  async startTls(tls: ClientTls, host: string): Promise<void> {
    const options = await readClientTls(tls, host);
    if (this.#bytes > 0) throw protocolError("the server says more in clear before TLS");
    const plain = this.#socket;
    plain.removeAllListeners("data").removeAllListeners("end").pause();
    const secured = await startTls(plain, options);
    if (this.#end !== null) {
      secured.destroy();
      throw this.#end;
    }
    this.#socket = secured;
    this.#closed = this.#follow(secured);
  }

  /** Waits: until so many bytes have come. */
  take(length: Bytes): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiter = { length, resolve, reject };
      if (this.#bytes < length) this.#socket.resume();
      this.#serve();
    });
  }

  send(...pieces: readonly Uint8Array[]): void {
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** Sends what is to be sent, then closes. Waits: until the connection is closed. */
  async close(): Promise<void> {
    this.#socket.end();
    this.#socket.resume();
    await this.#closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Gives the socket away, with what came and was not taken. Throws NbdError when it has ended. */
  detach(): { readonly socket: Socket; readonly unread: Buffer } {
    if (this.#end !== null) throw this.#end;
    return {
      socket: this.#socket.removeAllListeners("data"),
      unread: Buffer.concat(this.#chunks),
    };
  }

  #serve(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    if (this.#bytes >= waiter.length) {
      this.#waiter = null;
      waiter.resolve(this.#cut(waiter.length));
    } else if (this.#end !== null) {
      this.#waiter = null;
      waiter.reject(this.#end);
    }
  }

  #cut(length: Bytes): Buffer {
    const first = this.#chunks[0];
    const all =
      this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#bytes -= length;
    this.#chunks = this.#bytes > 0 ? [all.subarray(length)] : [];
    return all.subarray(0, length);
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#serve();
  }
}
