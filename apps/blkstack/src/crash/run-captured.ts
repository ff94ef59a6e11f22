import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isSystemError } from "../user-error.ts";

/** What a shell says of a child that a signal ended. */
const SIGNALLED = 128;
/** Of what a command prints, the last so many characters are kept. */
const KEPT_CHARACTERS = 16_384;
/** How long a command that was asked to end may take for it. */
const GRACE_MS = 2000;

export interface CapturedRun {
  /** The exit status, or 128 and the number of the signal that ended it. */
  readonly status: number;
  /** The end of what it printed, on both outputs. */
  readonly output: string;
  /** Whether it was stopped because it took too long. */
  readonly isLate: boolean;
}

export interface CaptureOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** How long it may take, with all that it starts. */
  readonly timeoutMs: number;
}

/** Runs `command` in a shell, to its end or for so long, and keeps what it prints. */
export function runCaptured(
  command: string,
  { env, cwd, signal, timeoutMs }: CaptureOptions,
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
    let isLate = false;
    let grace: NodeJS.Timeout | undefined;
    const keep = (text: string): void => {
      output = (output + text).slice(-KEPT_CHARACTERS);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const stop = (): void => {
      signalGroup(child.pid, "SIGTERM");
      grace ??= setTimeout(() => {
        signalGroup(child.pid, "SIGKILL");
        // Whoever has left the group may still have the other ends, and is not waited for.
        child.stdout.destroy();
        child.stderr.destroy();
      }, GRACE_MS);
    };
    const timeout = setTimeout(() => {
      isLate = true;
      stop();
    }, timeoutMs);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code, killer) => {
      clearTimeout(timeout);
      clearTimeout(grace);
      signal.removeEventListener("abort", stop);
      const status = code ?? SIGNALLED + (killer === null ? 0 : constants.signals[killer]);
      resolve({ status, output, isLate });
    });
  });
}

/** For all of a group that are still there. */
function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ESRCH") throw error;
  }
}
