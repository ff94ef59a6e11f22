import type { Bytes } from "@blkstack/bio";
import type { Socket } from "node:net";
import { handleOf } from "./socket-handle.ts";

/** What can be asked of a socket by its descriptor; `@blkstack/file-calls` has it for Linux. */
export interface SocketTuning {
  /** Room for so many bytes that the other side has not read yet. Answers 0, or why not. */
  setSendBuffer(fd: number, bytes: Bytes): number;
}

/**
 * A reply of 256 KiB, with room for the next one to follow. What the system gives unasked is less than
 * one, so that the rest of each would wait until the client has read most of what there is. The
 * system has the last word, and TCP finds its own measure.
 */
const SEND_BUFFER_BYTES = 512 * 1024;

/** Gives an accepted connection on a unix socket room for long replies, if the system lets us. */
export function tune(socket: Socket, tuning: SocketTuning): void {
  if (socket.remoteAddress !== undefined) return;
  const fd = handleOf(socket)?.fd;
  // Whatever it answers, the socket works as it is.
  if (fd !== undefined && fd >= 0) tuning.setSendBuffer(fd, SEND_BUFFER_BYTES);
}
