import { UserError } from "../user-error.ts";

/** Where metrics are to be had. Port 0: any that is free. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";
const PORT_MAX = 65_535;

/** Reads `HOST:PORT`, `[IPV6]:PORT`, or `PORT` for the loopback. */
export function parseHttpAddress(text: string): HttpAddress {
  const { ipv6, name, port } =
    /^(?:(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:[\]]*)):)?(?<port>\d+)$/.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > PORT_MAX) {
    const what = JSON.stringify(text);
    throw new UserError(`--http ${what} is no address; it should be HOST:PORT or PORT`);
  }
  const host = ipv6 ?? (name === undefined || name === "" ? LOOPBACK : name);
  return { host, port: Number(port) };
}
