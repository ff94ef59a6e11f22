import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes } from "@blkstack/bio";
import { loadSocketCalls } from "@blkstack/file-calls";
import {
  type ClientTls,
  formatNbdUri,
  type Log,
  type NbdFeature,
  type NbdLimits,
  NbdServer,
  type ServerTls,
} from "@blkstack/nbd";
import { runInTask, type Stack } from "@blkstack/stack";
import type { Ground } from "./compose.ts";
import type { ListenAddress } from "./listen-address.ts";
import { LiveExports } from "./live-exports.ts";
import { limitMemory } from "./memory-budget.ts";

/** The first descriptor that whoever started us may have left open for us to listen on. */
const LISTEN_FDS_START = 3;

/** How many sockets we were given, by the rules of socket activation. */
export function listenFdCount(env: Readonly<Record<string, string | undefined>>): number {
  if (env["LISTEN_PID"] !== String(process.pid)) return 0;
  const count = Number(env["LISTEN_FDS"]);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** An address that clients can connect to. */
export interface ServedAddress {
  readonly uri: string;
  /** Of a unix socket, else empty. */
  readonly socketPath: string;
  /** Of TCP, else null. */
  readonly port: number | null;
}

/** What of a URI is the same at every address. */
interface Endpoint {
  readonly exportName: string;
  /** There when TLS is spoken; where clients have their files nobody here knows. */
  readonly tls?: ClientTls;
}

/** A stack that is being served. */
export interface Serving {
  /** The export that the addresses name. */
  readonly exportName: string;
  readonly addresses: readonly ServedAddress[];
  /** Of sockets that were inherited, those that can be told of. */
  readonly inherited: readonly ServedAddress[];
  /** A socket in a folder that only we can look into; null when none was asked for. */
  readonly ownSocket: ServedAddress | null;
  readonly exports: LiveExports;
  readonly server: NbdServer;
  /** Answers what is in flight, and removes the sockets. The stack stays open. */
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly listen: readonly ListenAddress[];
  /** Whether to listen on a unix socket of our own as well. */
  readonly hasOwnSocket: boolean;
  /** How many sockets that listen already were inherited. Default: none. */
  readonly inheritedCount?: number;
  /** What the payload of all clients, and the copies and caches of the stack, may have in memory. */
  readonly memoryBytes: Bytes;
  /** What else clients may have. Default: as the server has it. */
  readonly limits?: Partial<NbdLimits>;
  /** What clients are not to be offered. Default: all is. */
  readonly disable?: readonly NbdFeature[];
  /** Told of what clients do. */
  readonly log?: Log;
  /** With what TLS is spoken. Default: it is not. */
  readonly tls?: ServerTls;
}

/**
 * Serves all exports of a stack. Throws when there is too little memory for its reserves or an address
 * cannot be had; then nothing listens.
 */
export async function serveStack(
  stack: Stack,
  ground: Ground,
  options: ServeOptions,
): Promise<Serving> {
  const { listen, hasOwnSocket, inheritedCount = 0, memoryBytes, disable = [], tls, log } = options;
  const exportName = mainExport(stack);
  // A client that names no export means the one that we tell people of.
  const exports = [...stack.exports.values()].map((each) => {
    return { ...each, isDefault: each.name === exportName };
  });
  const limits = (): Partial<NbdLimits> => limitMemory(ground.memory, memoryBytes, options.limits);
  const secure = tls === undefined ? {} : { tls };
  const sockets = await loadSocketCalls();
  const server = new NbdServer({
    ...ground,
    sockets,
    exports,
    limits,
    disable,
    ...secure,
    ...(log && { log }),
  });
  const endpoint: Endpoint = { exportName, ...(tls === undefined ? {} : { tls: {} }) };
  const folder = hasOwnSocket ? await mkdtemp(join(tmpdir(), "blkstack-")) : null;
  const live = new LiveExports(server, stack, exports);
  const close = async (): Promise<void> => {
    await server.close();
    await runInTask(ground.scheduler, "close exports", (task) => live.close(task));
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  };
  try {
    const inherited: ServedAddress[] = [];
    for (let index = 0; index < inheritedCount; index += 1) {
      const address = await listenAt(server, { fd: LISTEN_FDS_START + index }, endpoint);
      // Whoever made a socket whose path nobody knows has no need to be told.
      if (address.socketPath !== "" || address.port !== null) inherited.push(address);
    }
    const addresses: ServedAddress[] = [];
    for (const address of listen) {
      const at = address.kind === "unix" ? { unix: address.path } : address;
      addresses.push(await listenAt(server, at, endpoint));
    }
    const ownSocket =
      folder === null ? null : await listenAt(server, { unix: join(folder, "nbd.sock") }, endpoint);
    return { exportName, addresses, inherited, ownSocket, exports: live, server, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenAt(
  server: NbdServer,
  address: Parameters<NbdServer["listen"]>[0],
  endpoint: Endpoint,
): Promise<ServedAddress> {
  const { port, host, path } = await server.listen(address);
  // A host keeps the name by which the user called it.
  const told = "host" in address ? (address.host ?? host) : host;
  const at = port === null ? { unix: path } : { host: told, port };
  return { uri: formatNbdUri({ ...at, ...endpoint }), socketPath: path, port };
}

/** The export that says it is the default, the one without a name, or else the first. */
function mainExport({ exports }: Stack): string {
  const all = [...exports.values()];
  const chosen =
    all.find(({ isDefault }) => isDefault) ?? all.find(({ name }) => name === "") ?? all[0];
  return chosen?.name ?? "";
}
