import { spawn } from "node:child_process";
import { constants } from "node:os";

/** What a shell says of a child that a signal ended. */
const SIGNALLED = 128;

/** A command of the user's that uses the server. */
export interface RunningChild {
  /** Its exit status, or 128 and the number of the signal that ended it. */
  readonly ended: Promise<number>;
  /** Asks it to end; harmless when it has. */
  stop(): void;
}

/** Runs `command` in a shell, with our input and output. */
export function runChild(
  command: string,
  variables: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): RunningChild {
  const child = spawn("/bin/sh", ["-c", command], {
    env: { ...env, ...variables },
    stdio: "inherit",
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  return { ended, stop: () => void child.kill("SIGTERM") };
}
