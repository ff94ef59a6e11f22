import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { fio, type Workload, WORKLOADS } from "./fio.ts";
import { median } from "./median.ts";
import { benchMap } from "./nbd-map.ts";
import { cpuSeconds, serve, type Served } from "./served.ts";

const IMAGE_MIB = 1024;

interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
}

/** Beside ours, in this order. */
const PEERS: readonly {
  readonly name: string;
  command(socket: string, image: string): string[];
}[] = [
  {
    name: "nbdkit",
    command: (socket, image) => ["nbdkit", "-f", "-U", socket, "file", image],
  },
  {
    name: "qemu-nbd",
    command: (socket, image) => {
      return ["qemu-nbd", "-f", "raw", "-t", "-x", "", "-e", "64", "-k", socket, image];
    },
  },
];

/**
 * Our server beside nbdkit's file plugin and qemu-nbd, on one image, for how a file lies in the page
 * cache makes more difference than who reads it: rounds in turn, so that a machine that slows down
 * slows all, and the median of the rounds' ratios.
 */
export async function benchNbd(rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const servers: Served[] = [];
  try {
    const path = image(folder);
    const blkstack = fileURLToPath(new URL("../../../blkstack", import.meta.url));
    const socketOf = (name: string): string => join(folder, `${name}.sock`);
    const own = socketOf("blkstack");
    const command = [blkstack, "serve", "--file", path, "--listen", `unix:${own}`];
    servers.push(await serve("blkstack", own, command));
    for (const peer of PEERS) {
      const socket = socketOf(peer.name);
      servers.push(await serve(peer.name, socket, peer.command(socket, path)));
    }
    const names = servers.map(({ name }) => name);
    const table = new Table({
      head: ["workload", ...names, "ratios", "µs of CPU a request", "ratios"],
    });
    for (const load of WORKLOADS) {
      const prepare = (): void => {
        if (load.isCold === true) dropFromPageCache(path);
      };
      table.push(await compare(load, { servers, prepare }, rounds, seconds));
    }
    console.log(table.toString());
    await benchMap(folder, blkstack, rounds);
  } finally {
    for (const { process } of servers) process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

function image(folder: string): string {
  const path = join(folder, "disk.img");
  const mebibyte = Buffer.alloc(1 << 20, 0x5a);
  for (let written = 0; written < IMAGE_MIB; written += 1) {
    writeFileSync(path, mebibyte, { flag: "a" });
  }
  return path;
}

/** Syncs an image, and has the system forget it. */
function dropFromPageCache(path: string): void {
  const how = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
  execFileSync("dd", ["if=/dev/null", `of=${path}`, ...how]);
}

async function compare(
  load: Workload,
  { servers, prepare }: { readonly servers: readonly Served[]; readonly prepare: () => void },
  rounds: number,
  seconds: number,
): Promise<string[]> {
  const samples = servers.map((): Sample[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = [...servers.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      const server = servers[index];
      if (server === undefined) continue;
      prepare();
      const before = cpuSeconds(server);
      const { requestsPerSecond, requests } = await fio(server.socket, load, seconds);
      const cpuMicrosPerRequest = ((cpuSeconds(server) - before) / requests) * 1e6;
      samples[index]?.push({ requestsPerSecond, cpuMicrosPerRequest });
    }
  }
  const column = (list: readonly Sample[], key: keyof Sample) => list.map((each) => each[key]);
  const medians = (key: keyof Sample, digits: number): string[] =>
    samples.map((list) => median(column(list, key)).toFixed(digits));
  const [ours = [], ...theirs] = samples;
  const ratios = (key: keyof Sample): string =>
    theirs
      .map((list) => column(ours, key).map((value, round) => value / (list[round]?.[key] ?? NaN)))
      .map((each) => median(each).toFixed(2))
      .join(" / ");
  return [
    load.name,
    ...medians("requestsPerSecond", 0),
    ratios("requestsPerSecond"),
    medians("cpuMicrosPerRequest", 1).join(" / "),
    ratios("cpuMicrosPerRequest"),
  ];
}
