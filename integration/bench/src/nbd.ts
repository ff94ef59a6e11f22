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

/**
 * Our server beside nbdkit's file plugin, on two images of the same content: rounds in turn, so
 * that a machine that slows down slows both, and the median of the rounds' ratios.
 */
export async function benchNbd(rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  const servers: Served[] = [];
  try {
    const ours = image(folder, "ours");
    const theirs = image(folder, "nbdkit");
    const blkstack = fileURLToPath(new URL("../../../blkstack", import.meta.url));
    const [first, second] = [join(folder, "ours.sock"), join(folder, "nbdkit.sock")];
    servers.push(
      await serve("blkstack", first, [
        blkstack,
        "serve",
        "--file",
        ours,
        "--listen",
        `unix:${first}`,
      ]),
      await serve("nbdkit", second, ["nbdkit", "-f", "-U", second, "file", theirs]),
    );
    const table = new Table({
      head: ["workload", "blkstack req/s", "nbdkit req/s", "ratio", "µs/req", "µs/req", "ratio"],
    });
    for (const load of WORKLOADS) {
      const prepare = (): void => {
        if (load.isCold === true) for (const path of [ours, theirs]) dropFromPageCache(path);
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

function image(folder: string, name: string): string {
  const path = join(folder, `${name}.img`);
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
  const [ours = [], theirs = []] = samples;
  const column = (list: Sample[], key: keyof Sample) => list.map((sample) => sample[key]);
  const ratio = (key: keyof Sample) =>
    median(column(ours, key).map((value, round) => value / (column(theirs, key)[round] ?? NaN)));
  return [
    load.name,
    median(column(ours, "requestsPerSecond")).toFixed(0),
    median(column(theirs, "requestsPerSecond")).toFixed(0),
    ratio("requestsPerSecond").toFixed(2),
    median(column(ours, "cpuMicrosPerRequest")).toFixed(1),
    median(column(theirs, "cpuMicrosPerRequest")).toFixed(1),
    ratio("cpuMicrosPerRequest").toFixed(2),
  ];
}
