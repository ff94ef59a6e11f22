import { createHook } from "node:async_hooks";
import { SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { NullDisk, RamDisk } from "@blkstack/disk-ram";
import { type CopyListener, KcopydClient } from "@blkstack/kcopyd";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, PageAllocator } from "@blkstack/memory";
import { Completion, isPending, type Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import Table from "cli-table3";

const DISK_BYTES = 64 * 1024 * 1024;
const SIZE_SECTORS = DISK_BYTES / SECTOR_BYTES;
const SIZES = [4096, 64 * 1024, 1024 * 1024];
/** As many copies are begun before any is waited for as a busy snapshot may have. */
const AT_ONCE = 64;
const ROUNDS = 30;
const MIB = 1024 * 1024;

interface Cost {
  readonly nsPerCopy: number;
  readonly heapBytesPerCopy: number;
  readonly promisesPerCopy: number;
}

/**
 * How fast copies from one disk in memory to another are, beside a loop that moves the bytes once,
 * where a copy moves them twice; and what the copier takes by itself, on disks that do nothing.
 */
export async function benchKcopyd(): Promise<void> {
  const table = new Table({
    head: [
      "bytes per copy",
      "at once",
      "MiB/s",
      "Uint8Array.set MiB/s",
      "copier ns per copy",
      "heap bytes per copy",
      "promises per copy",
    ],
  });
  for (const bytes of SIZES) {
    const bareNs = bareCopyNs(bytes);
    for (const atOnce of [1, AT_ONCE]) {
      const { nsPerCopy } = await measure(bytes, atOnce, ramDisk);
      const alone = await measure(bytes, atOnce, nullDisk);
      table.push([
        String(bytes),
        String(atOnce),
        mibPerSecond(bytes, nsPerCopy),
        mibPerSecond(bytes, bareNs),
        alone.nsPerCopy.toFixed(0),
        alone.heapBytesPerCopy.toFixed(1),
        alone.promisesPerCopy.toFixed(3),
      ]);
    }
  }
  console.log(table.toString());
}

type MakeDisk = (name: string, scheduler: EventLoopScheduler) => BlockDevice;

function ramDisk(name: string, scheduler: EventLoopScheduler): BlockDevice {
  const disk = new RamDisk({ name, sizeSectors: SIZE_SECTORS, scheduler });
  disk.poke(0, new Uint8Array(DISK_BYTES).fill(1));
  return disk;
}

function nullDisk(name: string, scheduler: EventLoopScheduler): BlockDevice {
  return new NullDisk({ name, sizeSectors: SIZE_SECTORS, scheduler });
}

function mibPerSecond(bytes: number, ns: number): string {
  return ((bytes / MIB / ns) * 1e9).toFixed(0);
}

/** The same bytes, from one array to another. */
function bareCopyNs(bytes: number): number {
  const from = new Uint8Array(DISK_BYTES).fill(1);
  const to = new Uint8Array(DISK_BYTES);
  const copies = DISK_BYTES / bytes;
  let leastNs = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startNs = nowNs();
    for (let at = 0; at < DISK_BYTES; at += bytes) to.set(from.subarray(at, at + bytes), at);
    leastNs = Math.min(leastNs, nowNs() - startNs);
  }
  return leastNs / copies;
}

function measure(bytes: number, atOnce: number, makeDisk: MakeDisk): Promise<Cost> {
  const scheduler = new EventLoopScheduler();
  return new Promise((resolve, reject) => {
    scheduler.spawn("bench", async (task) => {
      try {
        resolve(await run(new Copies(scheduler, { bytes, atOnce, makeDisk }), task));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

async function run(copies: Copies, task: Task): Promise<Cost> {
  let leastNs = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startNs = nowNs();
    await copies.copyDisk(task);
    leastNs = Math.min(leastNs, nowNs() - startNs);
  }
  globalThis.gc?.();
  const beforeBytes = process.memoryUsage().heapUsed;
  await copies.copyDisk(task);
  const heapBytes = process.memoryUsage().heapUsed - beforeBytes;
  let promises = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "PROMISE") promises += 1;
    },
  }).enable();
  await copies.copyDisk(task);
  hook.disable();
  return {
    nsPerCopy: leastNs / copies.count,
    heapBytesPerCopy: heapBytes / copies.count,
    promisesPerCopy: promises / copies.count,
  };
}

interface Wanted {
  readonly bytes: number;
  readonly atOnce: number;
  readonly makeDisk: MakeDisk;
}

/** Copies a whole disk in ranges of one size, so many of them at once. */
class Copies implements CopyListener {
  readonly count: number;
  readonly #client: KcopydClient;
  readonly #sectors: number;
  readonly #atOnce: number;
  readonly #end: Completion;
  readonly #source;
  readonly #destination;
  readonly #request;
  #left = 0;

  constructor(scheduler: EventLoopScheduler, { bytes, atOnce, makeDisk }: Wanted) {
    const memory = new Memory({ scheduler });
    const pages = new PageAllocator({ memory, limitPages: 32_768, label: "pages" });
    const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.#client = new KcopydClient({ name: "bench", scheduler, memory, pages, submitter });
    this.#sectors = bytes / SECTOR_BYTES;
    this.#atOnce = atOnce;
    this.count = DISK_BYTES / bytes;
    this.#end = new Completion("copies", { scheduler, blockers: () => [this.#client] });
    this.#source = { device: makeDisk("from", scheduler), sector: 0, sectors: this.#sectors };
    this.#destination = { device: makeDisk("to", scheduler), sector: 0, sectors: this.#sectors };
    this.#request = { source: this.#source, destinations: [this.#destination] };
  }

  async copyDisk(task: Task): Promise<void> {
    for (let done = 0; done < this.count; done += this.#left) {
      const batch = Math.min(this.#atOnce, this.count - done);
      this.#left = batch;
      for (let number = done; number < done + batch; number += 1) {
        this.#source.sector = number * this.#sectors;
        this.#destination.sector = number * this.#sectors;
        const begun = this.#client.copy(this.#request, this, task);
        if (isPending(begun)) await begun;
      }
      await this.#end.wait(task);
      this.#left = batch;
    }
  }

  copyEnded(readErrors: number, writeErrors: number): void {
    if (readErrors !== 0 || writeErrors !== 0) throw new Error("a bench copy failed");
    this.#left -= 1;
    if (this.#left === 0) this.#end.complete();
  }
}

function nowNs(): number {
  return Number(process.hrtime.bigint());
}
