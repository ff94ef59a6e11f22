import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One kind of load: fio's words for it. */
export interface Workload {
  readonly name: string;
  readonly mode: "randread" | "randwrite" | "read" | "write" | "randtrim";
  readonly blockSize: string;
  readonly depth: number;
  /** How often which block is asked for; evenly unless told. */
  readonly distribution?: string;
  /** Whether nothing of the image is in the page cache when a round begins. */
  readonly isCold?: boolean;
  /** Of the server; the default one unless told. */
  readonly exportName?: string;
}

export const WORKLOADS: readonly Workload[] = [
  { name: "randread-4k-32", mode: "randread", blockSize: "4k", depth: 32 },
  { name: "randwrite-4k-32", mode: "randwrite", blockSize: "4k", depth: 32 },
  { name: "randread-4k-1", mode: "randread", blockSize: "4k", depth: 1 },
  { name: "read-256k-8", mode: "read", blockSize: "256k", depth: 8 },
  { name: "write-256k-8", mode: "write", blockSize: "256k", depth: 8 },
  { name: "cold randread-4k-32", mode: "randread", blockSize: "4k", depth: 32, isCold: true },
  // Last, for it leaves little to read.
  { name: "randtrim-64k-8", mode: "randtrim", blockSize: "64k", depth: 8 },
];

export interface FioResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
}

/** What several jobs came to together. */
export interface JobsResult {
  readonly requestsPerSecond: number;
  readonly mibPerSecond: number;
  /** fio ends a job with its first failed request. */
  readonly failedJobs: number;
}

interface FioJob {
  readonly error: number;
  readonly read: FioSide;
  readonly write: FioSide;
  readonly trim: FioSide;
}

interface FioSide {
  readonly iops: number;
  readonly total_ios: number;
  /** KiB a second. */
  readonly bw: number;
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
  const { distribution, exportName = "" } = load;
  // Clients beside each other do not begin at one moment: what each does alone is left out.
  const together = load.exportName === undefined ? [] : ["--ramp_time=1"];
  const uneven = distribution === undefined ? [] : [`--random_distribution=${distribution}`];
  const { stdout } = await run("fio", [
    "--name=bench",
    "--ioengine=nbd",
    `--uri=nbd+unix:///${exportName}?socket=${socket}`,
    `--rw=${load.mode}`,
    `--bs=${load.blockSize}`,
    `--iodepth=${String(load.depth)}`,
    `--size=${size}`,
    ...duration,
    ...together,
    ...uneven,
    "--norandommap",
    "--output-format=json",
  ]);
  const [job] = jobsOf(stdout);
  if (job?.error !== 0) throw new Error(`fio failed on ${socket}`);
  const side = sideOf(job, load);
  return { requestsPerSecond: side.iops, requests: side.total_ios };
}

function sideOf(job: FioJob, { mode }: Workload): FioSide {
  if (mode === "randtrim") return job.trim;
  return mode.endsWith("read") ? job.read : job.write;
}

/** Runs jobs of several descriptions at a time, each a process and a connection of its own. */
export async function fioJobs(descriptions: readonly (readonly string[])[]): Promise<JobsResult> {
  const common = ["--ioengine=nbd", "--norandommap", "--output-format=json"];
  // The status tells of failed jobs once more.
  const { stdout } = await run("fio", [...common, ...descriptions.flat()]).catch(outputOf);
  const jobs = jobsOf(stdout);
  const sides = jobs.flatMap(({ read, write }) => [read, write]);
  return {
    requestsPerSecond: sides.reduce((sum, { iops }) => sum + iops, 0),
    mibPerSecond: sides.reduce((sum, { bw }) => sum + bw, 0) / 1024,
    failedJobs: jobs.filter(({ error }) => error !== 0).length,
  };
}

function jobsOf(stdout: string): readonly FioJob[] {
  return (JSON.parse(stdout.slice(stdout.indexOf("{"))) as { readonly jobs: FioJob[] }).jobs;
}

function outputOf(error: unknown): { readonly stdout: string } {
  const stdout = error instanceof Error && "stdout" in error ? error.stdout : "";
  if (typeof stdout === "string" && stdout.includes("{")) return { stdout };
  throw error;
}
