import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The command line of this checkout. */
export const BLKSTACK: string = fileURLToPath(new URL("../../../blkstack", import.meta.url));

const TICKS_PER_SECOND = 100;
/** Ours installs and builds when it is first used. */
const START_MS_MAX = 120_000;

/** An NBD server that runs as a process of its own, on a unix socket. */
export interface Served {
  readonly name: string;
  readonly socket: string;
  readonly process: ChildProcess;
}

/** Starts a server and waits until its socket is there. `stderr`: where its complaints go. */
export async function serve(
  name: string,
  socket: string,
  command: string[],
  stderr: "inherit" | "pipe" = "inherit",
): Promise<Served> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", "ignore", stderr] });
  const failures: Error[] = [];
  child.on("error", (error) => failures.push(error));
  const deadlineMs = Date.now() + START_MS_MAX;
  while (!existsSync(socket)) {
    if (failures.length > 0) throw new Error(`cannot start ${name}`, { cause: failures[0] });
    if (child.exitCode !== null) throw new Error(`${name} ended with ${String(child.exitCode)}`);
    if (Date.now() > deadlineMs) throw new Error(`${name} did not open ${socket}`);
    await sleep(50);
  }
  return { name, socket, process: child };
}

/** User plus system time that the server has used so far, in seconds, all threads. */
export function cpuSeconds(served: Served): number {
  const stat = readFileSync(`/proc/${String(served.process.pid)}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
