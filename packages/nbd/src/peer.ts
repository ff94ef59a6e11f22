import type { Socket } from "node:net";

/** Who is at the other end: `127.0.0.1:40210`, `[::1]:40210`, or `unix`. */
export function peerOf({ remoteAddress, remotePort, remoteFamily }: Socket): string {
  if (remoteAddress === undefined) return "unix";
  const host = remoteFamily === "IPv6" ? `[${remoteAddress}]` : remoteAddress;
  return `${host}:${String(remotePort)}`;
}
