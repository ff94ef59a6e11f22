import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { type Workload, WORKLOADS } from "./fio.ts";
import { makeImage } from "./image.ts";
import { benchMap } from "./nbd-map.ts";
import { medianOf, type Rate, ratesInTurn, ratioOf } from "./rate.ts";
import { BLKSTACK, serve, type Served } from "./served.ts";

const IMAGE_MIB = 1024;

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
    const path = join(folder, "disk.img");
    makeImage(path, IMAGE_MIB);
    const socketOf = (name: string): string => join(folder, `${name}.sock`);
    const own = socketOf("blkstack");
    const command = [BLKSTACK, "serve", "--file", path, "--listen", `unix:${own}`];
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
      table.push(await compare(load, servers, { rounds, seconds, prepare }));
    }
    console.log(table.toString());
    await benchMap(folder, rounds);
  } finally {
    for (const { process } of servers) process.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Syncs an image, and has the system forget it. */
function dropFromPageCache(path: string): void {
  const how = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
  execFileSync("dd", ["if=/dev/null", `of=${path}`, ...how]);
}

async function compare(
  load: Workload,
  servers: readonly Served[],
  options: { readonly rounds: number; readonly seconds: number; readonly prepare: () => void },
): Promise<string[]> {
  const rates = await ratesInTurn(servers, load, options);
  const [ours = [], ...theirs] = rates;
  const medians = (figure: keyof Rate, digits: number): string[] =>
    rates.map((each) => medianOf(each, figure).toFixed(digits));
  const ratios = (figure: keyof Rate): string =>
    theirs.map((each) => ratioOf(ours, each, figure).toFixed(2)).join(" / ");
  return [
    load.name,
    ...medians("requestsPerSecond", 0),
    ratios("requestsPerSecond"),
    medians("cpuMicrosPerRequest", 1).join(" / "),
    ratios("cpuMicrosPerRequest"),
  ];
}
