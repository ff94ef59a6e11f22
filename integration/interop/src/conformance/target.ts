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
import type { RawClient } from "../raw-client.ts";
import { choose, greet, option, Option, readOptionEnd } from "../raw-protocol.ts";
import { chooseStructured } from "../raw-structured.ts";
import type { Workbench } from "../workbench.ts";
import { type Make, PLAIN_ROLES, type Role } from "./makes.ts";
import { ServerProcess } from "./server-process.ts";

const MIB = 1024 * 1024;
export const SIZE_BYTES: number = 64 * MIB;
const START_MS = 60_000;

/** The servers of one make, one for each role; one that ends is started again. */
export class Target {
  readonly make: Make;
  readonly #bench: Workbench;
  readonly #pki: Pki | null;
  readonly #servers = new Map<Role, ServerProcess>();

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
    return `nbd+unix:///${this.make.exportName}?socket=${this.socket(role)}`;
  }

  /** Connects and chooses the export. */
  open(role: Role): Promise<RawClient> {
    return choose(this.socket(role), this.make.exportName);
  }

  /** The same with structured replies, and with these contexts of metadata. */
  openStructured(role: Role, contexts: readonly string[] = []): Promise<RawClient> {
    return chooseStructured(this.socket(role), this.make.exportName, contexts);
  }

  /** For clients with the certificate of this folder. */
  certificateUri(folder: string = this.pki.client): string {
    return `nbds+unix:///${this.make.exportName}?socket=${this.socket("certificate")}&tls-certificates=${folder}`;
  }

  /** For clients with the key of this folder. */
  keyUri(folder: string = this.pki.keys): string {
    return `nbds+unix://alice@/${this.make.exportName}?socket=${this.socket("key")}&tls-psk-file=${folder}/keys.psk`;
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
    const pids = this.#servers.get(role)?.pids() ?? [];
    return pids.reduce((sum, pid) => {
      const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
      return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    }, 0);
  }

  /** How many files the server of this role has open. */
  openFileCount(role: Role): number {
    return readdirSync(`/proc/${String(this.#servers.get(role)?.pid)}/fd`).length;
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
    const status = (await this.#servers.get(role)?.end(signal)) ?? null;
    this.#servers.delete(role);
    return status;
  }

  async stop(): Promise<void> {
    for (const role of [...this.#servers.keys()]) await this.end(role, "SIGKILL");
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
    const pidFile = this.make.leavesPid === true ? this.#path(role, "pid") : undefined;
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
    const place = { role, image, socket: this.socket(role), pki: this.#pki, pidFile };
    const command = this.make.serve(place);
    const complaints = this.#path(role, "err");
    this.#servers.set(role, await ServerProcess.start({ command, complaints, pidFile }));
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

  async #serves(role: Role): Promise<boolean> {
    try {
      if (PLAIN_ROLES.includes(role)) {
        (await this.open(role)).vanish();
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
