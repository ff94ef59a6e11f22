import { BlockError } from "@blkstack/block";
import { NBD_PORT } from "./listener.ts";

/** Where an export is: what an NBD URI says. */
export type NbdAddress =
  | { readonly unix: string; readonly exportName?: string }
  | { readonly host: string; readonly port?: number; readonly exportName?: string };

/** Writes `nbd://host[:port]/name` or `nbd+unix:///name?socket=path`. */
export function formatNbdUri(address: NbdAddress): string {
  const name = encodeURIComponent(address.exportName ?? "");
  if ("unix" in address) {
    const socket = address.unix.split("/").map(encodeURIComponent).join("/");
    return `nbd+unix:///${name}?socket=${socket}`;
  }
  const { host, port = NBD_PORT } = address;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  const shownPort = port === NBD_PORT ? "" : `:${String(port)}`;
  return `nbd://${shownHost}${shownPort}/${name}`;
}

/** Reads such a URI. Throws `BlockError` EINVAL when it is none, or of a kind not spoken here. */
export function parseNbdUri(text: string): NbdAddress {
  const match = /^(?<scheme>nbd(?:\+unix)?):\/\//.exec(text);
  if (match === null) throw refusal(text, "it begins with neither nbd:// nor nbd+unix://");
  let url: URL;
  try {
    // The parser of URLs takes hosts and ports apart for schemes that it knows.
    url = new URL(`ws://${text.slice(match[0].length).replace(/^(?=[/?]|$)/, "local")}`);
  } catch {
    throw refusal(text, "it is not well formed");
  }
  const exportName = decode(text, url.pathname.slice(1));
  const socket = url.searchParams.get("socket");
  if (match.groups?.["scheme"] === "nbd+unix") {
    if (socket === null || socket === "") throw refusal(text, "?socket=PATH is missing");
    return { unix: decode(text, rawSocket(text)), exportName };
  }
  if (socket !== null) throw refusal(text, "a socket belongs to nbd+unix://");
  if (/^nbd:\/\/(?:[/?]|$)/.test(text)) return { host: "localhost", port: NBD_PORT, exportName };
  const port = portOf(text) ?? NBD_PORT;
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, exportName };
}

/** As written: in a path, unlike in a form, a plus is a plus. */
function rawSocket(text: string): string {
  return /[?&]socket=(?<path>[^&#]*)/.exec(text)?.groups?.["path"] ?? "";
}

/** Read here, for a URL forgets the port that its scheme has by default. */
function portOf(text: string): number | undefined {
  const port = /^nbd:\/\/[^/?#]*:(?<port>\d+)(?:[/?#]|$)/.exec(text)?.groups?.["port"];
  return port === undefined ? undefined : Number(port);
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
