import { readFileSync, statSync } from "node:fs";
import { freePort } from "../free-port.ts";
import { Served } from "../served.ts";
import { Workbench } from "../workbench.ts";
import { AttachableServer } from "./attachable-server.ts";
import type { Guest } from "./guest.ts";

const MIB = 1024 * 1024;
const BLOCK_OF_STAT = 512;

/** What a row has for itself: a folder, servers in it, and a guest with nothing attached. */
export class Place {
  readonly guest: Guest;
  readonly bench: Workbench = new Workbench();
  #served: Served | null = null;
  #servers = 0;

  constructor(guest: Guest) {
    this.guest = guest;
  }

  /** Serves a stack; the server before must have ended. `port`: 0 for any that is free. */
  async serve(stack: string, port = 0): Promise<AttachableServer> {
    this.#servers += 1;
    const name = `stack${String(this.#servers)}`;
    this.bench.write(`${name}.yaml`, stack);
    const socket = this.bench.path(`${name}.sock`);
    const listen = ["--listen", `tcp:127.0.0.1:${String(port)}`, "--listen", `unix:${socket}`];
    const httpPort = await freePort();
    const args = [`${name}.yaml`, ...listen, "--http", String(httpPort)];
    this.#served = await Served.start(args, this.bench.folder);
    return new AttachableServer(this.#served, this.guest, { socket, httpPort });
  }

  file(name: string): Buffer {
    return readFileSync(this.bench.path(name));
  }

  /** How much of a file has room on the disk of the host: holes have none. */
  allocatedMib(name: string): number {
    return Math.round((statSync(this.bench.path(name)).blocks * BLOCK_OF_STAT) / MIB);
  }

  /** Leaves nothing behind on the host. */
  async clear(): Promise<void> {
    await this.#served?.stop("SIGKILL");
    this.bench.clear();
  }
}

/** The stack file of one image, `disk.img`, as the export `disk`. */
export function oneDisk(mib: number): string {
  return `disks:
  disk: { file: ./disk.img, size: ${String(mib)}MiB, create: true }
exports:
  disk: { device: disk }
`;
}
