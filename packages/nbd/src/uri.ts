import { BlockError } from "@blkstack/block";
import type { ClientTls } from "./client-tls.ts";
import { NBD_PORT } from "./listener.ts";

/** Where an export is: what an NBD URI says. */
export type NbdAddress = (
  | { readonly unix: string; readonly exportName?: string }
  | { readonly host: string; readonly port?: number; readonly exportName?: string }
) & {
  /** Of `nbds://` and `nbds+unix://`: the server must speak TLS. */
  readonly tls?: ClientTls;
};

/**
 * Writes `nbd://host[:port]/name` or `nbd+unix:///name?socket=path`; with `tls` that is `nbds`, the user
 * stands before the host, and the rest is `tls-certificates`, `tls-psk-file`, `tls-hostname` and
 * `tls-verify-peer`.
 */
export function formatNbdUri(address: NbdAddress): string {
  const { tls } = address;
  const name = encodeURIComponent(address.exportName ?? "");
  const scheme = tls === undefined ? "nbd" : "nbds";
  const user = tls?.user === undefined ? "" : `${encodeURIComponent(tls.user)}@`;
  const query = tls === undefined ? [] : tlsQuery(tls);
  if ("unix" in address) {
    const all = [`socket=${encodePath(address.unix)}`, ...query].join("&");
    return `${scheme}+unix://${user}/${name}?${all}`;
  }
  const { host, port = NBD_PORT } = address;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  const shownPort = port === NBD_PORT ? "" : `:${String(port)}`;
  const all = query.length === 0 ? "" : `?${query.join("&")}`;
  return `${scheme}://${user}${shownHost}${shownPort}/${name}${all}`;
}

const FORM =
  /^nbd(?<tls>s)?(?<unix>\+unix)?:\/\/(?:(?<user>[^/?#@]*)@)?(?<host>\[[^\]/?#@]*\]|[^/?#:@[\]]*)(?::(?<port>\d*))?(?:\/(?<name>[^?#]*))?(?:\?(?<query>[^#]*))?$/;

/** Reads such a URI. Throws `BlockError` EINVAL when it is none, or of a kind not spoken here. */
export function parseNbdUri(text: string): NbdAddress {
  if (!/^nbds?(?:\+unix)?:\/\//.test(text)) {
    throw refusal(text, "it begins with none of nbd://, nbds://, nbd+unix:// and nbds+unix://");
  }
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) throw refusal(text, "it is not well formed");
  const isSecure = parts["tls"] !== undefined;
  const exportName = decode(text, parts["name"] ?? "");
  const query = parseQuery(text, parts["query"] ?? "");
  const socket = query.get("socket");
  const user = parts["user"];
  const tls = isSecure ? { tls: tlsOf(text, query, user) } : {};
  if (
    !isSecure &&
    (user !== undefined || [...query.keys()].some((key) => key.startsWith("tls-")))
  ) {
    throw refusal(text, "users and tls-… belong to nbds");
  }
  if (parts["unix"] !== undefined) {
    if (socket === undefined || socket === "") throw refusal(text, "?socket=PATH is missing");
    return { unix: socket, exportName, ...tls };
  }
  if (socket !== undefined) throw refusal(text, "a socket belongs to nbd+unix://");
  const port =
    parts["port"] === undefined || parts["port"] === "" ? NBD_PORT : Number(parts["port"]);
  if (port > PORT_MAX) throw refusal(text, "it is not well formed");
  const host = decode(text, (parts["host"] ?? "").replace(/^\[|\]$/g, ""));
  return { host: host === "" ? "localhost" : host, port, exportName, ...tls };
}

const PORT_MAX = 65_535;

function tlsQuery(tls: ClientTls): string[] {
  const { certificates, pskFile, hostname, isPeerVerified } = tls;
  return [
    ...(certificates === undefined ? [] : [`tls-certificates=${encodePath(certificates)}`]),
    ...(pskFile === undefined ? [] : [`tls-psk-file=${encodePath(pskFile)}`]),
    ...(hostname === undefined ? [] : [`tls-hostname=${encodeURIComponent(hostname)}`]),
    ...(isPeerVerified === false ? ["tls-verify-peer=false"] : []),
  ];
}

function tlsOf(
  text: string,
  query: ReadonlyMap<string, string>,
  userText: string | undefined,
): ClientTls {
  const certificates = query.get("tls-certificates");
  const pskFile = query.get("tls-psk-file");
  const hostname = query.get("tls-hostname");
  const verify = query.get("tls-verify-peer");
  if (verify !== undefined && !/^(?:true|false|0|1)$/.test(verify)) {
    throw refusal(text, "tls-verify-peer is true or false");
  }
  return {
    ...(userText === undefined || userText === "" ? {} : { user: decode(text, userText) }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(pskFile === undefined ? {} : { pskFile }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(verify === "false" || verify === "0" ? { isPeerVerified: false } : {}),
  };
}

/** As written: in a path, unlike in a form, a plus is a plus. The first of a name counts. */
function parseQuery(text: string, query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of query.split("&")) {
    const [key = "", value = ""] = part.split(/=(.*)/s);
    if (key !== "" && !values.has(key)) values.set(key, decode(text, value));
  }
  return values;
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refusal(text, "it has a broken % escape");
  }
}

function refusal(text: string, why: string): BlockError {
  return new BlockError("BLK_DEVICE", "EINVAL", `"${text}" is no NBD URI: ${why}`);
}
