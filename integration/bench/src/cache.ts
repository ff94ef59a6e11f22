import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { FileDisk } from "@blkstack/disk-file";
import { cache } from "@blkstack/dm-cache";
import { delay } from "@blkstack/dm-delay";
import { linear } from "@blkstack/dm-linear";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { NbdServer } from "@blkstack/nbd";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import Table from "cli-table3";
import { fio, type Workload } from "./fio.ts";
import { makeImage } from "./image.ts";
import { median } from "./median.ts";
import { serve } from "./served.ts";

const CACHE_MIB = 64;
const IMAGE_MIB = 2 * CACHE_MIB;
const SECTORS = IMAGE_MIB * 2048;
const CACHE_BLOCKS = CACHE_MIB * 256;
/** How slow the slow disk is. */
const DELAY_MS = 1;

const READS: Workload = {
  name: "zipf-randread-4k-32",
  mode: "randread",
  blockSize: "4k",
  depth: 32,
  distribution: "zipf:1.1",
};

/** Somebody who serves the image. */
interface Contender {
  readonly name: string;
  serve(folder: string, socket: string, isSlow: boolean): Promise<Serving>;
}

interface Serving {
  /** Reads that were hits, and all, so far; where it tells. */
  hits(): readonly [hits: number, all: number] | null;
  stop(): Promise<void>;
}

const CONTENDERS: readonly Contender[] = [
  { name: "without", serve: (...given) => serveOurs(...given, false) },
  { name: "cache", serve: (...given) => serveOurs(...given, true) },
  { name: "nbdkit cache", serve: serveNbdkit },
];

/**
 * Random reads of which few blocks have most, of half and of twice as much as the cache holds: from a
 * file that the kernel has in memory, and from one behind a delay.
 */
export async function benchCache(rounds: number, seconds: number): Promise<void> {
  const head = ["4k zipf reads, depth 32", ...CONTENDERS.map(({ name }) => name), "hits", "ratio"];
  const table = new Table({ head });
  for (const isSlow of [false, true]) {
    for (const part of [0.5, 2]) {
      const rates = new Map<string, number[]>();
      const hitRates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const order = round % 2 === 0 ? CONTENDERS : [...CONTENDERS].reverse();
        for (const contender of order) {
          const { rate, hitRate } = await measure(contender, isSlow, part * CACHE_MIB, seconds);
          rates.set(contender.name, [...(rates.get(contender.name) ?? []), rate]);
          if (hitRate !== null) hitRates.push(hitRate);
        }
      }
      const name = `${String(part)}x the cache, ${isSlow ? `${String(DELAY_MS)} ms` : "fast"} disk`;
      const medians = CONTENDERS.map((contender) => median(rates.get(contender.name) ?? []));
      const [, cached = 0, theirs = 1] = medians;
      const shown = medians.map((rate) => Math.round(rate).toLocaleString("en"));
      const percent = `${(median(hitRates) * 100).toFixed(1)} %`;
      table.push([name, ...shown, percent, (cached / theirs).toFixed(2)]);
    }
  }
  console.log(table.toString());
}

/** Loads it twice: what is not to be counted is the filling of caches. */
async function measure(
  contender: Contender,
  isSlow: boolean,
  mebibytes: number,
  seconds: number,
): Promise<{ readonly rate: number; readonly hitRate: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  let serving: Serving | null = null;
  try {
    makeImage(join(folder, "base.img"), IMAGE_MIB);
    const socket = join(folder, "nbd.sock");
    serving = await contender.serve(folder, socket, isSlow);
    const size = `${String(mebibytes)}m`;
    await fio(socket, READS, seconds, size);
    const before = serving.hits();
    const { requestsPerSecond: rate } = await fio(socket, READS, seconds, size);
    const after = serving.hits();
    if (before === null || after === null) return { rate, hitRate: null };
    return { rate, hitRate: (after[0] - before[0]) / (after[1] - before[1]) };
  } finally {
    await serving?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In this process, so that the target can be asked. */
async function serveOurs(
  folder: string,
  unix: string,
  isSlow: boolean,
  isCached: boolean,
): Promise<Serving> {
  const scheduler = new EventLoopScheduler();
  const memory = new Memory({ scheduler });
  const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
  const path = join(folder, "base.img");
  const disk = await FileDisk.open({ name: "base", path, scheduler });
  const dm = new DeviceMapper({
    scheduler,
    memory,
    submitter,
    registry: new TargetRegistry([cache, delay, linear]),
    lookup: () => disk,
  });
  const size = String(SECTORS);
  const below = isSlow ? "slow" : "base";
  const top = isCached
    ? `cache ${below} 4096 ${String(CACHE_BLOCKS)} 1 writeback`
    : `linear ${below} 0`;
  await inTask(scheduler, async (task) => {
    if (isSlow) {
      await dm.create("slow", task, { table: `0 ${size} delay base 0 ${String(DELAY_MS)}` });
    }
    await dm.create("top", task, { table: `0 ${size} ${top}` });
  });
  const exported = { name: "", device: dm.get("top"), isDefault: true };
  const server = new NbdServer({ scheduler, submitter, memory, exports: [exported] });
  await server.listen({ unix });
  return {
    hits() {
      if (!isCached) return null;
      const [, , , , , hits, misses] = dm.status("top").join().split(" ").map(Number);
      return [hits ?? 0, (hits ?? 0) + (misses ?? 0)];
    },
    async stop() {
      await server.close();
      await inTask(scheduler, async (task) => {
        await dm.remove("top", task);
        if (isSlow) await dm.remove("slow", task);
      });
      await disk.close();
    },
  };
}

/** Its cache is a file beside the image, which the kernel has in memory as well. */
async function serveNbdkit(folder: string, socket: string, isSlow: boolean): Promise<Serving> {
  const delayed = isSlow ? ["--filter=delay"] : [];
  const wait = isSlow ? [`rdelay=${String(DELAY_MS)}ms`] : [];
  const limit = [`cache-max-size=${String(CACHE_MIB)}M`, "cache-on-read=true"];
  const image = join(folder, "base.img");
  const filters = ["--filter=cache", ...delayed];
  const command = ["nbdkit", "-f", "-U", socket, ...filters, "file", image, ...wait, ...limit];
  const { process } = await serve("nbdkit", socket, command);
  return {
    hits: () => null,
    stop: () => {
      process.kill("SIGTERM");
      return Promise.resolve();
    },
  };
}

async function inTask(
  scheduler: EventLoopScheduler,
  body: (task: Task) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    scheduler.spawn("bench", (task) => body(task).then(resolve, reject));
  });
}
