import { once } from "node:events";
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { BlockError, type Errno } from "@blkstack/block";

/** Where to listen. `host` is the loopback and `port` is NBD's own unless told. */
export type ListenAddress =
  { readonly unix: string } | { readonly host?: string; readonly port?: number };

export const NBD_PORT = 10_809;
const LOOPBACK = "127.0.0.1";
const BACKLOG = 1024;
/** Of longer paths the system would take the beginning, and say nothing. */
const PATH_BYTES_MAX = 107;
/** Of a socket's mode: all rights of group and others. */
const OWNER_ONLY_UMASK = 0o177;
const OWNER_ONLY_MODE = 0o600;

/** A socket that clients connect to. */
export class Listener {
  readonly host: string;
  readonly port: number | null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    const isTcp = typeof address === "object" && address !== null;
    this.host = isTcp ? address.address : "";
    this.port = isTcp ? address.port : null;
  }

  /**
   * A unix socket is for its owner alone. Refuses a path that somebody listens on with EBUSY, one of
   * anything else with EEXIST; a socket that nobody listens to any more is replaced. Accepted sockets
   * are paused, and stay open when the other side has said all.
   */
  static async open(
    address: ListenAddress,
    onConnection: (socket: Socket) => void,
  ): Promise<Listener> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, onConnection);
    if ("unix" in address) await listenUnix(server, address.unix);
    else await listenTcp(server, address.host ?? LOOPBACK, address.port ?? NBD_PORT);
    // An accept that fails, for want of file descriptors, is the client's misfortune alone.
    server.on("error", () => undefined);
    return new Listener(server);
  }

  /** Listens no more, and removes a unix socket's path. Connections live on. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

async function listenTcp(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port, backlog: BACKLOG });
  await whenListening(server, `${host} port ${String(port)}`);
}

async function listenUnix(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    const most = `at most ${String(PATH_BYTES_MAX)} bytes`;
    throw new BlockError("BLK_DEVICE", "EINVAL", `${path}: a unix socket's path has ${most}`);
  }
  await removeDeadSocket(path);
  const umask = maskOwnerOnly();
  try {
    server.listen({ path, backlog: BACKLOG });
  } finally {
    if (umask !== null) process.umask(umask);
  }
  await whenListening(server, path);
  await chmod(path, OWNER_ONLY_MODE);
}

async function whenListening(server: Server, where: string): Promise<void> {
  try {
    await once(server, "listening");
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const errno: Errno = code === "EADDRINUSE" ? "EBUSY" : code === "EACCES" ? "EACCES" : "EINVAL";
    const text = `cannot listen on ${where}: ${message}`;
    throw new BlockError("BLK_DEVICE", errno, text, { cause: error });
  }
}

/** The path must be nobody else's for a single moment; a worker thread may not change the mask. */
function maskOwnerOnly(): number | null {
  try {
    return process.umask(OWNER_ONLY_UMASK);
  } catch {
    return null;
  }
}

async function removeDeadSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => null);
  if (stat === null) return;
  if (!stat.isSocket()) {
    throw new BlockError("BLK_DEVICE", "EEXIST", `${path} is there already, and is no socket`);
  }
  if (await isAnswered(path)) {
    throw new BlockError("BLK_DEVICE", "EBUSY", `another server listens on ${path}`);
  }
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== "ECONNREFUSED");
    });
  });
}
