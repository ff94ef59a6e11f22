import type { Socket } from "node:net";
import { ByteStream } from "../byte-stream.ts";
import { protocolError } from "../client-error.ts";
import { choose, extendHeaders, greetAt, type RemoteExport } from "../client-handshake.ts";
import type { NbdAddress } from "../uri.ts";
import { TransmissionFlag } from "../wire.ts";
import { can } from "./remote-limits.ts";

/** A connection that is behind the handshake. */
export interface Opened {
  readonly remote: RemoteExport;
  readonly isExtended: boolean;
  readonly socket: Socket;
  /** What came behind the handshake already. */
  readonly unread: Buffer;
}

/**
 * Connects to an export: `count` times if the server says that all of its connections are one disk,
 * else once. All or none. Waits: for the server; `signal` ends that.
 *
 * Throws NbdError, and BlockError for files of TLS that are missing or wrong.
 */
export async function openConnections(
  address: NbdAddress,
  count: number,
  signal: AbortSignal,
): Promise<readonly [Opened, ...Opened[]]> {
  const first = await openOne(address, signal);
  if (!can(first.remote, TransmissionFlag.CanMultiConn)) return [first];
  const others = await Promise.allSettled(
    Array.from({ length: count - 1 }, () => openOne(address, signal)),
  );
  const opened = others.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = others.find((each) => each.status === "rejected");
  const isOther = opened.some(({ remote }) => !isSame(remote, first.remote));
  if (failed === undefined && !isOther) return [first, ...opened];
  for (const { socket } of [first, ...opened]) socket.destroy();
  throw failed?.reason ?? protocolError("its connections do not tell of the same export");
}

async function openOne(address: NbdAddress, signal: AbortSignal): Promise<Opened> {
  const stream = await ByteStream.connect(address, signal);
  try {
    const flags = await greetAt(address, stream);
    const isExtended = await extendHeaders(stream, flags);
    const remote = await choose(stream, flags, address.exportName ?? "", true);
    return { remote, isExtended, ...stream.detach() };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function isSame(a: RemoteExport, b: RemoteExport): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
