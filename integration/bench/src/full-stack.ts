import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { fio, type Workload } from "./fio.ts";
import { median } from "./median.ts";
import { cpuSeconds, serve, type Served } from "./served.ts";

const IMAGE_MIB = 256;
const SECTORS = IMAGE_MIB * 2048;
const SIZE = `${String(IMAGE_MIB)}m`;

const LOADS: readonly Workload[] = [
  { name: "random reads 4k, 32", mode: "randread", blockSize: "4k", depth: 32 },
  { name: "random writes 4k, 32", mode: "randwrite", blockSize: "4k", depth: 32 },
  { name: "random reads 4k, 1", mode: "randread", blockSize: "4k", depth: 1 },
];

interface Rate {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
}

/**
 * What a whole stack costs over NBD beside the bare file: a line `linear` over a throttle without a
 * limit over a snapshot in which every chunk was copied, in turn round by round.
 */
export async function benchFullStack(rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const servers: Served[] = [];
  try {
    const [bare, stacked] = [join(folder, "bare.sock"), join(folder, "stack.sock")];
    makeImage(join(folder, "bare.img"));
    makeImage(join(folder, "base.img"));
    const blkstack = fileURLToPath(new URL("../../../blkstack", import.meta.url));
    const file = [blkstack, "serve", "--file", join(folder, "bare.img"), "--listen"];
    const stack = [blkstack, "serve", writeStack(folder), "--listen"];
    servers.push(await serve("bare", bare, [...file, `unix:${bare}`]));
    servers.push(await serve("stack", stacked, [...stack, `unix:${stacked}`]));
    const fill: Workload = { name: "fill", mode: "write", blockSize: "256k", depth: 8 };
    for (const { socket } of servers) await fio(socket, fill, 0, SIZE);
    const table = new Table({ head: ["load", "", "bare file", "full stack", "ratio"] });
    for (const load of LOADS) table.push(...(await compare(load, servers, { rounds, seconds })));
    console.log(table.toString());
  } finally {
    for (const { process } of servers) process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  load: Workload,
  servers: readonly Served[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<string[][]> {
  const rates = servers.map((): Rate[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = [...servers.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, served] of order) {
      const before = cpuSeconds(served);
      const { requestsPerSecond, requests } = await fio(served.socket, load, seconds, SIZE);
      const cpuMicrosPerRequest = ((cpuSeconds(served) - before) * 1e6) / requests;
      rates[index]?.push({ requestsPerSecond, cpuMicrosPerRequest });
    }
  }
  return [
    figures(load.name, "requests a second", rates, "requestsPerSecond", 0),
    figures("", "µs of CPU a request", rates, "cpuMicrosPerRequest", 1),
  ];
}

function figures(
  ...[load, what, rates, key, digits]: [string, string, Rate[][], keyof Rate, number]
): string[] {
  const [bare = [], stacked = []] = rates.map((list) => list.map((rate) => rate[key]));
  const ratio = median(stacked.map((value, round) => value / (bare[round] ?? NaN)));
  const medians = [bare, stacked].map((list) => median(list).toFixed(digits));
  return [load, what, ...medians, ratio.toFixed(2)];
}

function makeImage(path: string): void {
  const mebibyte = Buffer.alloc(1 << 20, 0x5a);
  for (let done = 0; done < IMAGE_MIB; done += 1) writeFileSync(path, mebibyte, { flag: "a" });
}

function writeStack(folder: string): string {
  const path = join(folder, "stack.yaml");
  const all = `0 ${String(SECTORS)}`;
  const lines = [
    "disks:",
    "  base: { file: ./base.img }",
    `  cow: { file: ./cow.img, size: ${String(2 * IMAGE_MIB)}MiB, create: true }`,
    "groups:",
    "  free: rbps=max",
    "devices:",
    `  snap: ${all} snapshot base cow P 8`,
    `  unlimited: ${all} throttle snap 0 free`,
    `  top: ${all} linear unlimited 0`,
    "exports:",
    '  "": { device: top }',
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}
