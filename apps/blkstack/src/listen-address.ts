import { resolve } from "node:path";
import { UserError } from "./user-error.ts";

/** Where a server listens. Port 0: any that is free. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** What the address of a unix socket has room for, less its final zero. */
const SOCKET_PATH_MAX_BYTES = 107;
const PORT_MAX = 65_535;
const LOOPBACK = "127.0.0.1";

/** Reads `unix:PATH`, `tcp:HOST:PORT`, `tcp:PORT` or `tcp:[IPV6]:PORT`. */
export function parseListenAddress(text: string, cwd: string): ListenAddress {
  const { path } = /^unix:(?<path>.+)$/s.exec(text)?.groups ?? {};
  if (path !== undefined) return { kind: "unix", path: checkedSocketPath(resolve(cwd, path)) };
  const tcp = /^tcp:(?:(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:]*)):)?(?<port>\d+)$/.exec(text)?.groups;
  if (tcp === undefined || Number(tcp["port"]) > PORT_MAX) {
    throw new UserError(
      `--listen ${JSON.stringify(text)} is no address; it should be unix:PATH or tcp:HOST:PORT`,
    );
  }
  const host = tcp["ipv6"] ?? (tcp["name"] === "" ? undefined : tcp["name"]) ?? LOOPBACK;
  return { kind: "tcp", host, port: Number(tcp["port"]) };
}

/** Whether no other machine can connect there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host);
}

function checkedSocketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return path;
  throw new UserError(
    `--listen unix:${path}: the path has ${String(bytes)} bytes; a socket's has at most 107`,
  );
}
