import { spawn } from "node:child_process";
import { constants } from "node:os";

/** What a shell says of a child that a signal ended. */
const SIGNALLED = 128;
/** Of what a command prints, the last so many characters are kept. */
const KEPT_CHARACTERS = 16_384;

export interface CapturedRun {
  /** The exit status, or 128 and the number of the signal that ended it. */
  readonly status: number;
  /** The end of what it printed, on both outputs. */
  readonly output: string;
}

export interface CaptureOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Runs `command` in a shell, to its end, and keeps what it prints. */
export function runCaptured(
  command: string,
  { env, cwd, signal }: CaptureOptions,
): Promise<CapturedRun> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what the shell has started ends with it.
    const child = spawn("/bin/sh", ["-c", command], {
      env: { ...env },
      cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (text: string): void => {
      output = (output + text).slice(-KEPT_CHARACTERS);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const stop = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code, killer) => {
      signal.removeEventListener("abort", stop);
      const status = code ?? SIGNALLED + (killer === null ? 0 : constants.signals[killer]);
      resolve({ status, output });
    });
  });
}
