// What stands in for the module of the same name: sockets that are memory.
import type { Socket } from "node:net";
import type { Receiver } from "../../../src/socket-reader.ts";
import type { MemorySocket } from "./memory-socket.ts";

export function receiveInto(accepted: Socket, receiver: Receiver): Socket {
  (accepted as unknown as MemorySocket).connectTo(receiver);
  return accepted;
}

export function movedBytes(): number {
  return 0;
}

export function receiveChunks(socket: Socket, receiver: Receiver): Socket {
  (socket as unknown as MemorySocket).connectTo(receiver);
  return socket.resume();
}
