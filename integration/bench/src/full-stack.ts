import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { fio, type Workload } from "./fio.ts";
import { makeImage } from "./image.ts";
import { medianOf, type Rate, ratesInTurn, ratioOf } from "./rate.ts";
import { BLKSTACK, serve, type Served } from "./served.ts";

const IMAGE_MIB = 256;
const SECTORS = IMAGE_MIB * 2048;
const SIZE = `${String(IMAGE_MIB)}m`;

const LOADS: readonly Workload[] = [
  { name: "random reads 4k, 32", mode: "randread", blockSize: "4k", depth: 32 },
  { name: "random writes 4k, 32", mode: "randwrite", blockSize: "4k", depth: 32 },
  { name: "random reads 4k, 1", mode: "randread", blockSize: "4k", depth: 1 },
];

/**
 * What a whole stack costs over NBD beside the bare file: a line `linear` over a throttle without a
 * limit over a snapshot in which every chunk was copied, in turn round by round.
 */
export async function benchFullStack(rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const servers: Served[] = [];
  try {
    const [bare, stacked] = [join(folder, "bare.sock"), join(folder, "stack.sock")];
    makeImage(join(folder, "bare.img"), IMAGE_MIB);
    makeImage(join(folder, "base.img"), IMAGE_MIB);
    const file = [BLKSTACK, "serve", "--file", join(folder, "bare.img"), "--listen"];
    const stack = [BLKSTACK, "serve", writeStack(folder), "--listen"];
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
  options: { readonly rounds: number; readonly seconds: number },
): Promise<string[][]> {
  const [bare = [], stacked = []] = await ratesInTurn(servers, load, { ...options, size: SIZE });
  const figures = (figure: keyof Rate, digits: number): string[] => {
    const medians = [bare, stacked].map((each) => medianOf(each, figure).toFixed(digits));
    return [...medians, ratioOf(stacked, bare, figure).toFixed(2)];
  };
  return [
    [load.name, "requests a second", ...figures("requestsPerSecond", 0)],
    ["", "µs of CPU a request", ...figures("cpuMicrosPerRequest", 1)],
  ];
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
