import { Socket } from "node:net";
import type { Bytes } from "@blkstack/bio";
import { handleOf, releaseHandle } from "./socket-handle.ts";

/** Who hears what a socket receives. */
export interface Receiver {
  /**
   * Takes the first `end` bytes of a buffer, which belongs to the socket again afterwards.
   * Answers false to be left alone until `resume`.
   */
  received(buffer: Uint8Array, end: number): boolean;
  /** Where to put what comes next. */
  nextBuffer(): Uint8Array;
}

/** Options that a socket made from an accepted connection understands. */
interface AcceptedOptions {
  readonly handle: object;
  readonly allowHalfOpen: boolean;
  readonly onread: {
    buffer: () => Uint8Array;
    callback: (bytes: number, buffer: Uint8Array) => boolean;
  };
}

/**
 * Makes an accepted socket receive into buffers of ours: without this, every read allocates one.
 * Node.js offers that to clients only, so the connection moves to a socket made like a client's;
 * where it cannot, the socket is read in the ordinary way.
 */
export function receiveInto(accepted: Socket, receiver: Receiver): Socket {
  const handle = handleOf(accepted);
  // With another I/O model than readiness, a buffer would be in use while nothing has arrived.
  if (handle === null || process.platform === "win32") {
    return receiveChunks(accepted, receiver);
  }
  releaseHandle(accepted);
  accepted.destroy();
  const options: AcceptedOptions = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: () => receiver.nextBuffer(),
      callback: (bytes, buffer) => receiver.received(buffer, bytes),
    },
  };
  const socket = new Socket(options);
  socket.setNoDelay(true);
  return socket;
}

/** What a socket has received, and what of its bytes the system has taken. */
export function movedBytes(socket: Socket): Bytes {
  // What was written counts at once, and then waits here for as long as the other side takes nothing.
  return socket.bytesRead + socket.bytesWritten - (handleOf(socket)?.writeQueueSize ?? 0);
}

/** Reads a socket in the ordinary way. */
export function receiveChunks(socket: Socket, receiver: Receiver): Socket {
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    if (!receiver.received(chunk, chunk.length)) socket.pause();
  });
  return socket;
}
