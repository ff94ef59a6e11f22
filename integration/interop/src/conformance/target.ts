import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, rmSync } from "node:fs";
import { choose } from "../raw-protocol.ts";
import { BLKSTACK } from "../served.ts";

const MIB = 1024 * 1024;
export const SIZE_BYTES: number = 64 * MIB;
const START_MS = 30_000;

/** Which of its images a server serves: one to be written to, one that is not, one of 5 GiB. */
export type Role = "disk" | "kept" | "big";

/** How one make of servers is started on an image. */
export interface Make {
  readonly name: string;
  /** A command that prints the version. */
  readonly version: readonly string[];
  readonly serve: (image: string, socket: string, isReadOnly: boolean) => readonly string[];
}

export const OURS: Make = {
  name: "blkstack",
  version: [BLKSTACK, "--version"],
  serve: (image, socket, isReadOnly) => [
    ...[BLKSTACK, "serve", "--file", image, "--listen", `unix:${socket}`],
    ...(isReadOnly ? ["--read-only"] : []),
  ],
};

export const PEERS: readonly Make[] = [
  {
    name: "nbdkit",
    version: ["nbdkit", "--version"],
    serve: (image, socket, isReadOnly) => [
      ...["nbdkit", "-f", "-U", socket, ...(isReadOnly ? ["-r"] : [])],
      ...["file", image],
    ],
  },
  {
    name: "qemu-nbd",
    version: ["qemu-nbd", "--version"],
    serve: (image, socket, isReadOnly) => [
      ...["qemu-nbd", "-f", "raw", "-t", "-e", "2000", "-k", socket],
      ...["--discard=unmap", ...(isReadOnly ? ["-r"] : []), image],
    ],
  },
];

/** Three servers of one make, one for each role; a server that ends is started again. */
export class Target {
  readonly make: Make;
  readonly #folder: string;
  readonly #children = new Map<Role, ChildProcess>();

  constructor(make: Make, folder: string) {
    this.make = make;
    this.#folder = folder;
    for (const role of ["disk", "kept", "big"] as const) {
      const file = openSync(this.#image(role), "w");
      ftruncateSync(file, role === "big" ? 5 * 1024 * MIB : SIZE_BYTES);
      closeSync(file);
    }
  }

  socket(role: Role): string {
    return `${this.#folder}/${this.make.name}-${role}.sock`;
  }

  uri(role: Role): string {
    return `nbd+unix:///?socket=${this.socket(role)}`;
  }

  residentBytesFile(role: Role): string {
    return `/proc/${String(this.#children.get(role)?.pid)}/status`;
  }

  /** Waits until all three serve. Answers those that had to be started. */
  async ready(): Promise<Role[]> {
    const started: Role[] = [];
    for (const role of ["disk", "kept", "big"] as const) {
      if (await this.#serves(role)) continue;
      await this.#end(role);
      // Whoever was killed has left it, and not everybody replaces it.
      rmSync(this.socket(role), { force: true });
      const [command = "", ...args] = this.make.serve(
        this.#image(role),
        this.socket(role),
        role === "kept",
      );
      this.#children.set(role, spawn(command, args, { stdio: "ignore" }));
      const untilMs = Date.now() + START_MS;
      while (!(await this.#serves(role))) {
        if (Date.now() > untilMs) throw new Error(`${this.make.name} does not start`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      started.push(role);
    }
    return started;
  }

  async stop(): Promise<void> {
    for (const role of [...this.#children.keys()]) await this.#end(role);
  }

  #image(role: Role): string {
    return `${this.#folder}/${this.make.name}-${role}.img`;
  }

  async #serves(role: Role): Promise<boolean> {
    try {
      (await choose(this.socket(role), "")).vanish();
      return true;
    } catch {
      // Nobody listens, or nobody who would answer: both are an answer here.
      return false;
    }
  }

  async #end(role: Role): Promise<void> {
    const child = this.#children.get(role);
    this.#children.delete(role);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
