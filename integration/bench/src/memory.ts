import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import Table from "cli-table3";
import { fioJobs, type JobsResult } from "./fio.ts";
import { BLKSTACK, serve } from "./served.ts";

const BUDGET = "32MiB";
const IMAGE_MIB = 256;
const SECTORS = IMAGE_MIB * 2048;
const CONNECTIONS_EACH = 4;
const DEPTH = 8;
const SAMPLE_MS = 500;
/** What a process has after it was this long at work is what it needs; what comes later is growth. */
const WARM_SECONDS = 10;
const REPORT_MS_MAX = 10_000;

/** Reads and writes half and half, of sizes by fio's words. */
const LOADS: Readonly<Record<string, readonly string[]>> = {
  "4 KiB": ["--bs=4k"],
  "4 KiB, 64 KiB and 1 MiB": ["--bssplit=4k/40:64k/30:1m/30"],
};

/** A snapshot, its origin, and below both a cache that writes back. */
const STACK = `disks:
  base: { file: ./base.img, size: ${String(IMAGE_MIB)}MiB, create: true }
  cow: { file: ./cow.img, size: ${String(IMAGE_MIB + 64)}MiB, create: true }
devices:
  fast: 0 ${String(SECTORS)} cache base 4096 16384 1 writeback
  origin: 0 ${String(SECTORS)} snapshot-origin fast
  snap: 0 ${String(SECTORS)} snapshot fast cow P 16
exports:
  origin: { device: origin, default: true }
  snap: { device: snap }
`;

/** What `blkstack serve` says of itself on SIGUSR2. */
interface MemoryReport {
  readonly memory: {
    readonly freeBytes: number;
    readonly directRounds: number;
    readonly backgroundRounds: number;
    readonly stalls: number;
    readonly evictions: Readonly<Record<string, number>>;
  };
  readonly pools: readonly {
    readonly label: string;
    readonly minNr: number;
    readonly currNr: number;
    readonly lowestNr: number;
    readonly fromReserve: number;
    readonly waits: number;
  }[];
}

/** Whether a server with little memory holds 64 requests in flight, and what of it that takes. */
export async function benchMemory(seconds: number): Promise<void> {
  const connections = 2 * CONNECTIONS_EACH;
  const each = `${String(connections)} connections, one fio job each, ${String(DEPTH)} requests in flight each`;
  const total = String(connections * DEPTH);
  console.log(`--memory ${BUDGET}, snapshot and cache, ${each}: ${total} in all`);
  for (const [name, sizes] of Object.entries(LOADS)) await measure(name, sizes, seconds);
}

async function measure(name: string, sizes: readonly string[], seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const socket = join(folder, "nbd.sock");
  writeFileSync(join(folder, "stack.yaml"), STACK);
  const listen = ["--listen", `unix:${socket}`, "--memory", BUDGET];
  const command = [BLKSTACK, "serve", join(folder, "stack.yaml"), ...listen];
  const served = await serve("blkstack", socket, command, "pipe");
  try {
    const { pid = 0, stderr } = served.process;
    const residents: number[] = [];
    const sampler = setInterval(() => residents.push(residentMib(pid)), SAMPLE_MS);
    const jobs = ["origin", "snap"].map((each) => [
      `--name=${each}`,
      `--uri=nbd+unix:///${each}?socket=${socket}`,
      "--rw=randrw",
      ...sizes,
      `--iodepth=${String(DEPTH)}`,
      `--numjobs=${String(CONNECTIONS_EACH)}`,
      `--size=${String(IMAGE_MIB)}m`,
      "--time_based",
      `--runtime=${String(seconds)}`,
    ]);
    const result = await fioJobs(jobs).finally(() => {
      clearInterval(sampler);
    });
    const report = await reportOf(stderr, () => served.process.kill("SIGUSR2"));
    console.log(`reads and writes of ${name}, ${String(seconds)} s`);
    print(result, residents, report);
  } finally {
    served.process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** The line of JSON that comes after `ask`. */
async function reportOf(stderr: Readable | null, ask: () => void): Promise<MemoryReport> {
  let said = "";
  stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  ask();
  for (let waitedMs = 0; waitedMs < REPORT_MS_MAX; waitedMs += 50) {
    const line = said
      .split("\n")
      .slice(0, -1)
      .find((each) => each.startsWith("{"));
    if (line !== undefined) return JSON.parse(line) as MemoryReport;
    await sleep(50);
  }
  throw new Error(`the server says nothing of its memory: ${said}`);
}

function print(
  { requestsPerSecond, mibPerSecond, failedJobs }: JobsResult,
  residents: readonly number[],
  { memory, pools }: MemoryReport,
): void {
  const used = pools.filter(({ fromReserve }) => fromReserve > 0);
  const isNotFull = pools.filter(({ currNr, minNr }) => currNr < minNr).map(({ label }) => label);
  const warm = residents[(WARM_SECONDS * 1000) / SAMPLE_MS] ?? NaN;
  const table = new Table();
  table.push(
    ["requests a second", requestsPerSecond.toFixed(0)],
    ["MiB a second", mibPerSecond.toFixed(0)],
    ["jobs that failed", String(failedJobs)],
    ["resident MiB: peak", Math.max(...residents).toFixed(0)],
    [`resident MiB: after ${String(WARM_SECONDS)} s`, warm.toFixed(0)],
    ["resident MiB: at the end", (residents.at(-1) ?? NaN).toFixed(0)],
    ["direct reclaim rounds", String(memory.directRounds)],
    ["background rounds", String(memory.backgroundRounds)],
    ["stalls", String(memory.stalls)],
    [
      "evictions",
      Object.entries(memory.evictions)
        .map((each) => each.join(": "))
        .join(", "),
    ],
    ["pools not full afterwards", isNotFull.length === 0 ? "none" : isNotFull.join(", ")],
  );
  console.log(table.toString());
  const poolTable = new Table({
    head: ["pool whose reserve was used", "reserve", "lowest", "elements from it", "waits"],
  });
  for (const { label, minNr, lowestNr, fromReserve, waits } of used) {
    poolTable.push([label, ...[minNr, lowestNr, fromReserve, waits].map(String)]);
  }
  console.log(used.length === 0 ? "no reserve was used" : poolTable.toString());
}
