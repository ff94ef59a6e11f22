import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bio, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { type CfqClient, CfqQueue, type CfqQueueOptions } from "@blkstack/cfq";
import { FileDisk } from "@blkstack/disk-file";
import { MakeRequest, SplitSetPerDevice, submitAndWait } from "@blkstack/make-request";
import { Memory, PerCpuAllocator } from "@blkstack/memory";
import { NbdServer } from "@blkstack/nbd";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import Table from "cli-table3";
import { fio, type Workload } from "./fio.ts";
import { median } from "./median.ts";

const IMAGE_BYTES = 64 * 1024 * 1024;
const IMAGE_SECTORS = IMAGE_BYTES / SECTOR_BYTES;
const BIO_SECTORS = 8;
const GROUPS = 100;

const LOADS: readonly Workload[] = [
  { name: "randread-4k-32", mode: "randread", blockSize: "4k", depth: 32 },
  { name: "randread-4k-1", mode: "randread", blockSize: "4k", depth: 1 },
  { name: "randwrite-4k-32", mode: "randwrite", blockSize: "4k", depth: 32 },
  { name: "read-256k-8", mode: "read", blockSize: "256k", depth: 8 },
];

/** What a queue stands on, for real. */
export class CfqGround {
  readonly scheduler: EventLoopScheduler = new EventLoopScheduler();
  readonly memory: Memory = new Memory({ scheduler: this.scheduler });
  readonly statsMemory: PerCpuAllocator = new PerCpuAllocator({ memory: this.memory });
  readonly submitter: MakeRequest = new MakeRequest({
    split: new SplitSetPerDevice({ scheduler: this.scheduler, memory: this.memory }),
  });

  createQueue(device: BlockDevice, options: Partial<CfqQueueOptions> = {}): Promise<CfqQueue> {
    const { scheduler, memory, statsMemory, submitter } = this;
    const parts = { name: "bench", device, scheduler, memory, statsMemory, submitter };
    return this.perform((task) => CfqQueue.create({ ...parts, ...options }, task));
  }

  /** Does something in a task of its own. */
  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.scheduler.spawn("bench", async (task) => {
        try {
          resolve(await body(task));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}

/**
 * Two clients over NBD on one file, of weights 100 and 300, each as fast as it may; then a hundred
 * groups of one client each.
 */
export async function benchCfqShares(rounds: number, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-bench-"));
  try {
    const ground = new CfqGround();
    const { scheduler } = ground;
    const path = join(folder, "disk.img");
    const size = { create: true, sizeBytes: IMAGE_BYTES };
    const disk = await FileDisk.open({ name: "disk", path, scheduler, ...size });
    const queue = await ground.createQueue(disk);
    await benchTwo(ground, queue, join(folder, "nbd.sock"), { rounds, seconds });
    await benchHundred(ground, queue, seconds * rounds);
    await ground.perform((task) => queue.destroy(task));
    await disk.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchTwo(
  { scheduler, memory, submitter }: CfqGround,
  queue: CfqQueue,
  socket: string,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<void> {
  queue.setWeight("light", 100);
  queue.setWeight("heavy", 300);
  const exports = ["light", "heavy"].map((group) => ({
    name: group,
    device: queue.openClient({ name: `disk of ${group}`, group }),
  }));
  const server = new NbdServer({ scheduler, submitter, memory, exports });
  await server.listen({ unix: socket });
  const table = new Table({
    head: [
      "two clients over NBD",
      "weight 100 req/s",
      "weight 300 req/s",
      "ratio",
      "least",
      "most",
    ],
  });
  for (const load of LOADS) {
    const samples: { light: number; heavy: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [light = NaN, heavy = NaN] = await Promise.all(
        exports.map(async ({ name }) => {
          const result = await fio(socket, { ...load, exportName: name }, seconds, "64m");
          return result.requestsPerSecond;
        }),
      );
      samples.push({ light, heavy });
    }
    const ratios = samples.map(({ light, heavy }) => heavy / light);
    table.push([
      load.name,
      median(samples.map(({ light }) => light)).toFixed(0),
      median(samples.map(({ heavy }) => heavy)).toFixed(0),
      median(ratios).toFixed(2),
      Math.min(...ratios).toFixed(2),
      Math.max(...ratios).toFixed(2),
    ]);
  }
  console.log(table.toString());
  await server.close();
}

async function benchHundred(ground: CfqGround, queue: CfqQueue, seconds: number): Promise<void> {
  const counts = Array.from({ length: GROUPS }, () => 0);
  let isOver = false;
  const loops = counts.map((_count, number) => {
    const group = `group ${String(number)}`;
    const client = queue.openClient({ name: `disk of ${group}`, group });
    const loop = async (task: Task): Promise<void> => {
      const bio = new Bio();
      const page = { bytes: new Uint8Array(BIO_SECTORS * SECTOR_BYTES), frame: 0 };
      const vecs = [{ page, offset: 0, length: page.bytes.length }];
      while (!isOver) {
        readAnywhere(bio, client);
        bio.vecs = vecs;
        await submitAndWait(ground.submitter, bio, task);
        counts[number] = (counts[number] ?? 0) + 1;
        // As a client's next request would come from a socket.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return [ground.perform(loop), ground.perform(loop)];
  });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isOver = true;
  await Promise.all(loops.flat());
  const mean = counts.reduce((sum, count) => sum + count, 0) / GROUPS;
  const percent = (count: number): string => `${((count / mean) * 100).toFixed(0)} %`;
  console.log(
    `${String(GROUPS)} groups of one weight, ${String(seconds)} s: ${mean.toFixed(0)} bios each; ` +
      `the least has ${percent(Math.min(...counts))} of that, the most ${percent(Math.max(...counts))}`,
  );
}

function readAnywhere(bio: Bio, client: CfqClient): void {
  bio.reset();
  bio.device = client;
  bio.sector = Math.floor(Math.random() * (IMAGE_SECTORS / BIO_SECTORS)) * BIO_SECTORS;
  bio.sizeBytes = BIO_SECTORS * SECTOR_BYTES;
}
