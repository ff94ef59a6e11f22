import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import type { Pki } from "../pki.ts";
import { choose, greet, option, Option, readOptionEnd } from "../raw-protocol.ts";
import type { Workbench } from "../workbench.ts";
import { type Make, PLAIN_ROLES, type Role } from "./makes.ts";

const MIB = 1024 * 1024;
export const SIZE_BYTES: number = 64 * MIB;
const START_MS = 60_000;

/** The servers of one make, one for each role; one that ends is started again. */
export class Target {
  readonly make: Make;
  readonly #bench: Workbench;
  readonly #pki: Pki | null;
  readonly #children = new Map<Role, ChildProcess>();

  /** Without certificates there are no servers that speak TLS. */
  constructor(make: Make, bench: Workbench, pki: Pki | null = null) {
    this.make = make;
    this.#bench = bench;
    this.#pki = pki;
  }

  get pki(): Pki {
    if (this.#pki === null) throw new Error("there are no certificates");
    return this.#pki;
  }

  socket(role: Role): string {
    return this.#path(role, "sock");
  }

  uri(role: Role): string {
    return `nbd+unix:///?socket=${this.socket(role)}`;
  }

  /** For clients with the certificate of this folder. */
  certificateUri(folder: string = this.pki.client): string {
    return `nbds+unix:///?socket=${this.socket("certificate")}&tls-certificates=${folder}`;
  }

  /** For clients with the key of this folder. */
  keyUri(folder: string = this.pki.keys): string {
    return `nbds+unix://alice@/?socket=${this.socket("key")}&tls-psk-file=${folder}/keys.psk`;
  }

  /** A fresh folder for what one row needs. */
  makeFolder(): string {
    return mkdtempSync(this.#bench.path("row-"));
  }

  /** What the server of this role has complained of. */
  complaints(role: Role): string {
    const path = this.#path(role, "err");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Resident memory in bytes, with that of processes that a server has for its clients. */
  residentBytes(role: Role): number {
    return this.#processes(role).reduce((sum, pid) => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    }, 0);
  }

  /** How many files the server of this role has open. */
  openFileCount(role: Role): number {
    return readdirSync(`/proc/${this.#pid(role)}/fd`).length;
  }

  /** Waits until those of these roles serve. Answers those that had to be started. */
  async ready(roles: readonly Role[] = PLAIN_ROLES): Promise<Role[]> {
    const started: Role[] = [];
    for (const role of roles) {
      if (await this.#serves(role)) continue;
      await this.end(role, "SIGKILL");
      await this.#start(role);
      started.push(role);
    }
    return started;
  }

  /** Ends a server, and answers its exit status; null when a signal has ended it. */
  async end(role: Role, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#children.get(role);
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    }
    this.#children.delete(role);
    return child.exitCode;
  }

  async stop(): Promise<void> {
    for (const role of [...this.#children.keys()]) await this.end(role, "SIGKILL");
  }

  async #start(role: Role): Promise<void> {
    const image = this.#path(role, "img");
    if (!existsSync(image)) {
      const file = openSync(image, "w");
      ftruncateSync(file, role === "big" ? 5 * 1024 * MIB : SIZE_BYTES);
      closeSync(file);
    }
    // Whoever was killed has left it, and not everybody replaces it.
    rmSync(this.socket(role), { force: true });
    const place = { role, image, socket: this.socket(role), pki: this.#pki };
    const [command = "", ...args] = this.make.serve(place);
    const complaints = openSync(this.#path(role, "err"), "a");
    this.#children.set(role, spawn(command, args, { stdio: ["ignore", "ignore", complaints] }));
    closeSync(complaints);
    const untilMs = Date.now() + START_MS;
    while (!(await this.#serves(role))) {
      if (Date.now() > untilMs) {
        throw new Error(`${this.make.name} does not start: ${this.complaints(role)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #path(role: Role, extension: string): string {
    return this.#bench.path(`${this.make.name}-${role}.${extension}`);
  }

  #pid(role: Role): string {
    return String(this.#children.get(role)?.pid);
  }

  #processes(role: Role): string[] {
    const pid = this.#pid(role);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return [pid, ...children.split(" ").filter((child) => child !== "")];
  }

  async #serves(role: Role): Promise<boolean> {
    try {
      if (PLAIN_ROLES.includes(role)) {
        (await choose(this.socket(role), "")).vanish();
        return true;
      }
      const client = await greet(this.socket(role));
      client.send(option(Option.List));
      await readOptionEnd(client);
      client.vanish();
      return true;
    } catch {
      // Nobody listens, or nobody who would answer: both are an answer here.
      return false;
    }
  }
}
