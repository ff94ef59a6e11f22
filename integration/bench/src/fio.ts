import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One kind of load: fio's words for it. */
export interface Workload {
  readonly name: string;
  readonly mode: "randread" | "randwrite" | "read" | "write";
  readonly blockSize: string;
  readonly depth: number;
  /** How often which block is asked for; evenly unless told. */
  readonly distribution?: string;
}

export const WORKLOADS: readonly Workload[] = [
  { name: "randread-4k-32", mode: "randread", blockSize: "4k", depth: 32 },
  { name: "randwrite-4k-32", mode: "randwrite", blockSize: "4k", depth: 32 },
  { name: "randread-4k-1", mode: "randread", blockSize: "4k", depth: 1 },
  { name: "read-256k-8", mode: "read", blockSize: "256k", depth: 8 },
  { name: "write-256k-8", mode: "write", blockSize: "256k", depth: 8 },
];

export interface FioResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
}

interface FioJob {
  readonly error: number;
  readonly read: { readonly iops: number; readonly total_ios: number };
  readonly write: { readonly iops: number; readonly total_ios: number };
}

/**
 * Loads the first `size` of what is behind a unix socket with one workload for `seconds`; 0: once
 * through.
 */
export async function fio(
  socket: string,
  load: Workload,
  seconds: number,
  size = "1g",
): Promise<FioResult> {
  const duration = seconds === 0 ? [] : ["--time_based", `--runtime=${String(seconds)}`];
  const { distribution } = load;
  const uneven = distribution === undefined ? [] : [`--random_distribution=${distribution}`];
  const { stdout } = await run("fio", [
    "--name=bench",
    "--ioengine=nbd",
    `--uri=nbd+unix:///?socket=${socket}`,
    `--rw=${load.mode}`,
    `--bs=${load.blockSize}`,
    `--iodepth=${String(load.depth)}`,
    `--size=${size}`,
    ...duration,
    ...uneven,
    "--norandommap",
    "--output-format=json",
  ]);
  const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { readonly jobs: FioJob[] };
  const [job] = report.jobs;
  if (job?.error !== 0) throw new Error(`fio failed on ${socket}`);
  const side = load.mode.endsWith("read") ? job.read : job.write;
  return { requestsPerSecond: side.iops, requests: side.total_ios };
}
