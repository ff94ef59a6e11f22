import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../workbench.ts";

const PATIENCE_MS = 60_000;
const LOOK_EACH_MS = 20;

/** How a server is started. */
export interface Launch {
  readonly command: readonly string[];
  /** Where what it complains of is added. */
  readonly complaints: string;
  /** Where a server that leaves for the background writes which process it is. */
  readonly pidFile?: string | undefined;
}

/** A running server. */
export class ServerProcess {
  readonly pid: number;
  /** Waits for its end, and answers its exit status; null when a signal has ended it, or nobody can know. */
  readonly #ended: () => Promise<number | null>;

  private constructor(pid: number, ended: () => Promise<number | null>) {
    this.pid = pid;
    this.#ended = ended;
  }

  /** Starts it; whether it serves is another question. */
  static async start({ command, complaints, pidFile }: Launch): Promise<ServerProcess> {
    const [program = "", ...args] = command;
    const file = openSync(complaints, "a");
    const child = spawn(program, args, { stdio: ["ignore", "ignore", file] });
    closeSync(file);
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (pidFile === undefined) return new ServerProcess(child.pid ?? -1, () => ended);
    await ended;
    let pid = NaN;
    await eventually(() => {
      pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
      if (Number.isNaN(pid)) throw new Error(`no process in ${pidFile}`);
    }, PATIENCE_MS);
    return new ServerProcess(pid, () => untilGone(pid));
  }

  /** It, and the processes that it has for its clients. */
  pids(): number[] {
    const pid = String(this.pid);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return [this.pid, ...children.split(" ").filter(Boolean).map(Number)];
  }

  /** Ends it, with all that it has started, and answers its exit status. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    const pids = isRunning(this.pid) ? this.pids() : [];
    for (const pid of pids.filter(isRunning)) process.kill(pid, signal);
    return this.#ended();
  }
}

/** Nobody tells when a process ends that is not our child. */
async function untilGone(pid: number): Promise<null> {
  while (isRunning(pid)) await delay(LOOK_EACH_MS);
  return null;
}

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${String(pid)}/stat`, "latin1").includes(") Z ");
  } catch {
    // There is no such process any more.
    return false;
  }
}
