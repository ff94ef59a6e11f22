import { once } from "node:events";
import { chmod, lstat, readFile, readlink, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { BlockError, type Errno } from "@blkstack/block";

/**
 * Where to listen. `host` is the loopback and `port` is NBD's own unless told; `fd` is a socket that
 * listens already, which whoever started this process has made.
 */
export type ListenAddress =
  | { readonly unix: string }
  | { readonly host?: string; readonly port?: number }
  | { readonly fd: number };

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
  /** Of a unix socket; empty of any other, and of one of which nobody knows it. */
  readonly path: string;
  readonly #server: Server;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.path = path;
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
    let path = "";
    if ("unix" in address) {
      path = address.unix;
      await listenUnix(server, path);
    } else if ("fd" in address) path = await listenInherited(server, address.fd);
    else await listenTcp(server, address.host ?? LOOPBACK, address.port ?? NBD_PORT);
    // An accept that fails, for want of file descriptors, is the client's misfortune alone.
    server.on("error", () => undefined);
    return new Listener(server, path);
  }

  /** Listens no more, and removes the path of a unix socket that it made. Connections live on. */
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

/** Answers the path of a unix socket, if anybody knows it. */
async function listenInherited(server: Server, fd: number): Promise<string> {
  server.listen({ fd, backlog: BACKLOG });
  await whenListening(server, `descriptor ${String(fd)}`);
  const address = server.address();
  return address === null || typeof address === "string" ? unixPathOf(fd) : "";
}

/** Node does not know the path of a socket that it did not bind; Linux does. */
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
