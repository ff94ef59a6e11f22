import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The command line as a user runs it, from the root of the checkout; or an installed one. */
export const BLKSTACK: string =
  process.env["BLKSTACK"] ?? fileURLToPath(new URL("../../../blkstack", import.meta.url));

/** How long a first use may take, which installs and builds. */
const START_MS = 110_000;

/** A running `blkstack serve`. */
export class Served {
  readonly pid: number;
  /** What it printed before "ready". */
  readonly uris: readonly string[];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stderr = "";

  private constructor(child: ChildProcess, uris: readonly string[], ended: Promise<number | null>) {
    this.#child = child;
    this.pid = child.pid ?? -1;
    this.uris = uris;
    this.#ended = ended;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  /** Starts it and waits until it says that it is ready. */
  static start(args: readonly string[], cwd: string, launcher = BLKSTACK): Promise<Served> {
    const child = spawn(launcher, ["serve", ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    return new Promise((resolve, reject) => {
      let complaints = "";
      let printed = "";
      child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
      const give = (why: string): void => {
        clearTimeout(timeout);
        child.kill("SIGKILL");
        reject(new Error(`blkstack serve ${args.join(" ")} ${why}: ${complaints}`));
      };
      const timeout = setTimeout(give, START_MS, "is not ready");
      void ended.then((status) => {
        give(`ended with ${String(status)} before it was ready`);
      });
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        if (!printed.endsWith("ready\n")) return;
        clearTimeout(timeout);
        resolve(new Served(child, printed.split("\n").slice(0, -2), ended));
      });
    });
  }

  /** What it complained of since it was ready. */
  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to end and answers its exit status; null when a signal ended it. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.isRunning) this.#child.kill(signal);
    return this.#ended;
  }

  /** What its open files are, sorted; a socket is just "socket". */
  openFiles(): string[] {
    const folder = `/proc/${String(this.pid)}/fd`;
    const targets = readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`));
    return targets.map((target) => target.replace(/^(socket|pipe):.*/, "$1")).sort();
  }

  /** Resident memory in bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${String(this.pid)}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }
}
