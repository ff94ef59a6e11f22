// What stands in for the module of the same name: whoever knows the path walks in.
import type { Socket } from "node:net";
import type { ListenAddress } from "../../../src/listener.ts";
import type { MemorySocket } from "./memory-socket.ts";

export const NBD_PORT = 10_809;

const doors = new Map<string, (socket: Socket) => void>();

/** Connects to whoever listens on a path. */
export function enter(path: string, socket: MemorySocket): void {
  const open = doors.get(path);
  if (open === undefined) throw new RangeError(`nobody listens on ${path}`);
  open(socket as unknown as Socket);
}

export class Listener {
  readonly host: string = "";
  readonly port: number | null = null;
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static open(address: ListenAddress, onConnection: (socket: Socket) => void): Promise<Listener> {
    if (!("unix" in address)) throw new RangeError("there is no TCP in memory");
    doors.set(address.unix, onConnection);
    return Promise.resolve(new Listener(address.unix));
  }

  close(): Promise<void> {
    doors.delete(this.path);
    return Promise.resolve();
  }
}
