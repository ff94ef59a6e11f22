import type { Bytes } from "@blkstack/bio";
import type { Socket } from "node:net";

/** What Node.js does not tell of a socket otherwise. */
export interface SocketHandle {
  /** Below 0, or none: this system has no descriptors. */
  readonly fd?: number;
  /** What was written and the system has not taken yet. */
  readonly writeQueueSize?: Bytes;
}

interface WithHandle {
  _handle: SocketHandle | null | undefined;
}

/** Null: the socket is closed, or is none of the system's. */
export function handleOf(socket: Socket): SocketHandle | null {
  return (socket as unknown as WithHandle)._handle ?? null;
}

/** Takes the handle away: the socket can be destroyed, and the connection goes on. */
export function releaseHandle(socket: Socket): void {
  (socket as unknown as WithHandle)._handle = null;
}
