import { Worker } from "node:worker_threads";
import type { Job, JobPlan, JobResult } from "../parallel/job.ts";
import type { Hand } from "../parallel/work-off.ts";
import type { TallyCounts } from "../report.ts";

/** What a worker is born with. */
export interface WorkerBirth {
  readonly module: string;
  readonly name: string;
  readonly plan: JobPlan;
}

export type ToWorker = { readonly kind: "job"; readonly job: Job } | { readonly kind: "stop" };

export type FromWorker =
  | { readonly kind: "progress"; readonly tally: TallyCounts }
  | { readonly kind: "result"; readonly result: JobResult }
  | { readonly kind: "failed"; readonly error: unknown };

/** Thrown when a worker comes to grief: its scenario throws while it is built, or the thread ends. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

// Beside this file, and written in the same language.
const WORKER = new URL(import.meta.url.replace(/crew(\.\w+)$/, "worker$1"));

/** One worker thread. */
export class WorkerHand implements Hand {
  readonly #worker: Worker;
  #onProgress: (tally: TallyCounts) => void = () => undefined;
  #settle: { resolve: (result: JobResult) => void; reject: (error: unknown) => void } | null = null;
  /** Why it will do no more. */
  #grief: WorkerError | null = null;

  constructor(birth: WorkerBirth, execArgv: readonly string[] | undefined) {
    const options = execArgv === undefined ? {} : { execArgv: [...execArgv] };
    this.#worker = new Worker(WORKER, { ...options, workerData: birth });
    this.#worker.on("message", (message: FromWorker) => {
      this.#heard(message);
    });
    this.#worker.on("error", (error: unknown) => {
      this.#comeToGrief(error);
    });
    this.#worker.on("exit", (code) => {
      this.#comeToGrief(new Error(`its thread ended with exit code ${String(code)}`));
    });
  }

  run(job: Job, onProgress: (tally: TallyCounts) => void): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      if (this.#grief !== null) {
        reject(this.#grief);
        return;
      }
      this.#onProgress = onProgress;
      this.#settle = { resolve, reject };
      this.#tell({ kind: "job", job });
    });
  }

  stop(): void {
    this.#tell({ kind: "stop" });
  }

  /** Waits: until the thread is gone. */
  async end(): Promise<void> {
    this.#grief ??= new WorkerError("the worker was ended");
    await this.#worker.terminate();
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #heard(message: FromWorker): void {
    if (message.kind === "progress") {
      this.#onProgress(message.tally);
      return;
    }
    const settle = this.#settle;
    this.#settle = null;
    if (message.kind === "result") settle?.resolve(message.result);
    else settle?.reject(griefOf(message.error));
  }

  #comeToGrief(cause: unknown): void {
    this.#grief ??= griefOf(cause);
    this.#settle?.reject(this.#grief);
    this.#settle = null;
  }
}

function griefOf(cause: unknown): WorkerError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new WorkerError(`a worker failed: ${text}`, { cause });
}
