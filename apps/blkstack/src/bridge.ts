import { once } from "node:events";
import { readFile, readlink } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { Duplex } from "node:stream";
import { formatNbdUri } from "@blkstack/nbd";
import type { Endpoint, ServedAddress } from "./serving.ts";

/** The first descriptor that whoever started us may have left open for us to listen on. */
const LISTEN_FDS_START = 3;

/** Hands a client, however it came, to the server that listens at `socketPath`. */
function bridgeClient(client: Duplex, socketPath: string): Duplex {
  const inner = connect({ path: socketPath, allowHalfOpen: true });
  client.pipe(inner).pipe(client);
  const end = (): void => {
    client.destroy();
    inner.destroy();
  };
  // When the server has done, so has the client, who may keep its side open for ever. But it shall
  // get what the server said last; one that does not read it holds nobody up.
  const endWhenTold = (): void => {
    if (client instanceof Socket) client.unref();
    if (client.writableFinished) end();
    else client.once("finish", end).end();
  };
  client.on("error", end);
  inner.on("error", end);
  inner.on("end", endWhenTold);
  inner.on("close", endWhenTold);
  return inner;
}

/** One client on standard input and output. `ended` ends when it has gone. */
export function bridgeStdio(socketPath: string): { ended: Promise<void>; close(): void } {
  const client = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const inner = bridgeClient(client, socketPath);
  const ended = once(inner, "close").then(() => undefined);
  return {
    ended,
    close() {
      client.destroy();
      process.stdin.destroy();
    },
  };
}

/** How many sockets we were given, by the rules of socket activation. */
export function listenFdCount(env: Readonly<Record<string, string | undefined>>): number {
  if (env["LISTEN_PID"] !== String(process.pid)) return 0;
  const count = Number(env["LISTEN_FDS"]);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Sockets that listened before we began. */
export class InheritedSockets {
  readonly addresses: ServedAddress[] = [];
  readonly #servers: Server[] = [];

  /** Takes clients of `count` sockets to the server at `socketPath`. Throws when one cannot be had. */
  async open(count: number, socketPath: string, endpoint: Endpoint): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const fd = LISTEN_FDS_START + index;
      const server = createServer({ allowHalfOpen: true }, (client) => {
        bridgeClient(client, socketPath);
      });
      server.listen({ fd });
      await once(server, "listening");
      this.#servers.push(server);
      const address = await addressOf(server, fd, endpoint);
      // Whoever made a socket whose path nobody knows has no need to be told.
      if (address.socketPath !== "" || address.port !== null) this.addresses.push(address);
    }
  }

  /** Takes no more clients; those that there are stay with the server. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }
}

async function addressOf(server: Server, fd: number, endpoint: Endpoint): Promise<ServedAddress> {
  const address: AddressInfo | string | null = server.address();
  if (address !== null && typeof address !== "string") {
    const { address: host, port } = address;
    return { uri: formatNbdUri({ host, port, ...endpoint }), socketPath: "", port };
  }
  const path = await unixPathOf(fd);
  return { uri: formatNbdUri({ unix: path, ...endpoint }), socketPath: path, port: null };
}

/** Node does not know the path of a socket that it did not bind; Linux does. Empty: nobody does. */
async function unixPathOf(fd: number): Promise<string> {
  try {
    const inode = /\d+/.exec(await readlink(`/proc/self/fd/${String(fd)}`))?.[0] ?? "";
    const sockets = (await readFile("/proc/net/unix", "utf8")).split("\n");
    const found = sockets.find((line) => line.split(/ +/)[6] === inode);
    return found?.split(/ +/).slice(7).join(" ") ?? "";
  } catch {
    return "";
  }
}
