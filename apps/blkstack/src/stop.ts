import { type CliIo, ExitStatus } from "./cli-io.ts";

/** How often to look whether the parent is still there: the system does not tell. */
const PARENT_POLL_MS = 250;

/** Waits for somebody to end the command. The second who wants it ends it at once. */
export class StopSignal {
  /** Ends when the command is to end. */
  readonly requested: Promise<void>;
  #isRequested = false;
  #request: () => void = () => undefined;
  readonly #undo: (() => void)[] = [];

  constructor(io: CliIo) {
    this.requested = new Promise((resolve) => {
      this.#request = resolve;
    });
    const forget = io.onStopSignal(() => {
      if (this.#isRequested) io.exitNow(ExitStatus.Found);
      this.request();
    });
    this.#undo.push(forget);
  }

  request(): void {
    this.#isRequested = true;
    this.#request();
  }

  /** Also ends when the process that started this one has. */
  followParent(): void {
    const parent = process.ppid;
    const poll = setInterval(() => {
      if (process.ppid !== parent) this.request();
    }, PARENT_POLL_MS);
    this.#undo.push(() => {
      clearInterval(poll);
    });
  }

  /** Signals are the system's again. */
  release(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}
