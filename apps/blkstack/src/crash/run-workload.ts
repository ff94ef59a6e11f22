import { spawn } from "node:child_process";
import { constants } from "node:os";

const SIGNALLED = 128;

export interface WorkloadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** What it prints on its standard output; complaints are seen where ours are. */
  readonly onOutput: (text: string) => void;
}

/** Runs `command` in a shell, to its end; answers its status, or 128 and the number of a signal. */
export function runWorkload(
  command: string,
  { env, cwd, signal, onOutput }: WorkloadOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], {
      env: { ...env },
      cwd,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").on("data", onOutput);
    const stop = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code, killer) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? SIGNALLED + (killer === null ? 0 : constants.signals[killer]));
    });
  });
}
