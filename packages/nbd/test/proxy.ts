import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Stands between client and server, and ends connections as a server that dies does. */
export class Proxy {
  readonly path: string;
  /** Where the server is. */
  target: string;
  /** Connections that were made. */
  connections = 0;
  /** After so many bytes of the server every connection ends, the first time. */
  #left = Infinity;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => {
    this.#relay(client);
  });

  private constructor(folder: string, target: string) {
    this.path = join(folder, "proxy");
    this.target = target;
  }

  /** One before a server, for the length of a test. */
  static async before(target: string): Promise<Proxy> {
    const folder = await mkdtemp(join(tmpdir(), "nbd-proxy-"));
    const proxy = new Proxy(folder, target);
    await proxy.listen();
    onTestFinished(async () => {
      proxy.kill();
      await rm(folder, { recursive: true });
    });
    return proxy;
  }

  /** Ends all connections when the server has said so many bytes more. */
  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.path, resolve);
    });
  }

  /** Ends all connections, and makes no more. */
  kill(): void {
    if (this.#server.listening) this.#server.close();
    this.hangUp();
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #relay(client: Socket): void {
    this.connections += 1;
    const server = connect(this.target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (chunk: Buffer) => {
        if (from === client) {
          to.write(chunk);
          return;
        }
        const passed = chunk.subarray(0, Math.min(this.#left, chunk.length));
        const isCut = passed.length < chunk.length || this.#left === chunk.length;
        this.#left -= passed.length;
        to.write(passed);
        if (!isCut) return;
        this.#left = Infinity;
        to.end(() => {
          this.hangUp();
        });
        from.destroy();
      });
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  }
}
