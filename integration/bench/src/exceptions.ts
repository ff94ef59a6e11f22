import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BioStatus } from "@blkstack/bio";
import { type CowIo, CowLayout, ExceptionTable, PersistentStore } from "@blkstack/dm-snapshot";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import Table from "cli-table3";

const SIZES = [1e4, 1e5, 1e6, 1e7];
const LOOKUPS_PER_ROUND = 20_000;
const ROUNDS = 100;
const INSERTS = 2e6;
const WARM_UP = 1e5;
const LOADED = 1e6;
const LOADS = 5;
/** Without a common divisor with any of the sizes, so that a walk by it meets everything. */
const STRIDE = 4_801_003;

interface ChunkMap {
  /** Where it knows; otherwise the heap is asked. */
  readonly memoryBytes?: number;
  insert(oldChunk: number, newChunk: number): void;
  lookup(oldChunk: number): number;
}

interface Cost {
  readonly bytesEach: number;
  readonly insertNs: number;
  readonly lookupNs: number;
}

const ORDERS: readonly { readonly name: string; readonly chunkOf: (i: number) => number }[] = [
  { name: "random", chunkOf: scatter },
  { name: "sequential", chunkOf: (i) => i },
];

/** What an exception costs in memory and time, beside a JS `Map`; and how long a store takes to load. */
export async function benchExceptions(): Promise<void> {
  const table = new Table({
    head: ["exceptions", "old chunks", "", "bytes each", "CPU ns per insert", "ns per lookup"],
    colAligns: ["right", "left", "left", "right", "right", "right"],
  });
  for (const make of [newTable, mapPeer]) measure(WARM_UP, scatter, make);
  for (const { name, chunkOf } of ORDERS)
    for (const size of SIZES) {
      const ours = measure(size, chunkOf, newTable);
      const peer = measure(size, chunkOf, mapPeer);
      for (const [who, cost] of [["table", ours] as const, ["Map", peer] as const])
        table.push([
          size.toLocaleString("en"),
          name,
          who,
          cost.bytesEach.toFixed(1),
          cost.insertNs.toFixed(0),
          cost.lookupNs.toFixed(0),
        ]);
    }
  console.log(table.toString());
  await benchLoad();
}

/** Different for different `i`, in no order that a cache could guess. */
function scatter(i: number): number {
  let x = Math.imul(i ^ 0x5bd1e995, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

function newTable(): ChunkMap {
  return new ExceptionTable();
}

function mapPeer(): ChunkMap {
  const map = new Map<number, number>();
  return {
    insert: (oldChunk, newChunk) => void map.set(oldChunk, newChunk),
    lookup: (oldChunk) => map.get(oldChunk) ?? -1,
  };
}

function measure(size: number, chunkOf: (i: number) => number, make: () => ChunkMap): Cost {
  const fills = Math.max(1, Math.floor(INSERTS / size));
  const before = process.cpuUsage();
  for (let done = 1; done < fills; done += 1) fill(make(), size, chunkOf);
  const startBytes = heapBytes();
  const map = make();
  fill(map, size, chunkOf);
  const { user, system } = process.cpuUsage(before);
  const bytesEach = (map.memoryBytes ?? heapBytes() - startBytes) / size;
  // The least disturbed of many short rounds: the others tell more of the machine's other work.
  let leastNs = Infinity;
  let at = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startNs = process.hrtime.bigint();
    for (let count = 0; count < LOOKUPS_PER_ROUND; count += 1) {
      at = (at + STRIDE) % size;
      if (map.lookup(chunkOf(at)) !== at + 2) throw new Error("an exception was lost");
    }
    leastNs = Math.min(leastNs, Number(process.hrtime.bigint() - startNs) / LOOKUPS_PER_ROUND);
  }
  return { bytesEach, insertNs: ((user + system) * 1000) / (size * fills), lookupNs: leastNs };
}

function fill(map: ChunkMap, size: number, chunkOf: (i: number) => number): void {
  for (let i = 0; i < size; i += 1) map.insert(chunkOf(i), i + 2);
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function benchLoad(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "blkstack-bench-"));
  const file = await open(join(folder, "cow"), "w+");
  try {
    const io = await cowFile(file);
    const scheduler = new EventLoopScheduler();
    await new Promise<void>((resolve, reject) => {
      scheduler.spawn("bench", (task) => tellLoad(io, task).then(resolve, reject));
    });
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
}

async function tellLoad(io: CowIo, task: Task): Promise<void> {
  let leastMs = Infinity;
  for (let load = 0; load < LOADS; load += 1) {
    const exceptions = new ExceptionTable();
    const startNs = process.hrtime.bigint();
    await new PersistentStore({ io, chunkSectors: 0 }).load(task, (oldChunk, newChunk) => {
      exceptions.insert(oldChunk, newChunk);
    });
    leastMs = Math.min(leastMs, Number(process.hrtime.bigint() - startNs) / 1e6);
    if (exceptions.size !== LOADED) throw new Error("exceptions were lost on the disk");
  }
  const count = LOADED.toLocaleString("en");
  console.log(`a store of ${count} exceptions is loaded from a file in ${leastMs.toFixed(0)} ms`);
}

/** A COW file full of exceptions with random old chunks, and no data. */
async function cowFile(file: FileHandle): Promise<CowIo> {
  const layout = new CowLayout(8);
  const { chunkBytes, entriesPerArea } = layout;
  const areas = Math.floor(LOADED / entriesPerArea) + 1;
  const sizeSectors = layout.sectorOf(layout.areaChunk(areas));
  await file.truncate(sizeSectors * 512);
  const header = new Uint32Array([0x70416e53, 1, 1, layout.chunkSectors]);
  await file.write(new Uint8Array(header.buffer), 0, 16, 0);
  let newChunk = 1;
  for (let area = 0; area < areas; area += 1) {
    const words = new Uint32Array(chunkBytes / 4);
    for (let entry = 0; entry < entriesPerArea; entry += 1) {
      const index = area * entriesPerArea + entry;
      if (index >= LOADED) break;
      newChunk = layout.dataChunkFrom(newChunk + 1);
      words.set([scatter(index), 0, newChunk, 0], entry * 4);
    }
    const bytes = new Uint8Array(words.buffer);
    await file.write(bytes, 0, chunkBytes, layout.areaChunk(area) * chunkBytes);
  }
  const read = async (sector: number, into: Uint8Array): Promise<BioStatus> => {
    const { bytesRead } = await file.read(into, 0, into.length, sector * 512);
    return bytesRead === into.length ? BioStatus.Ok : BioStatus.IoError;
  };
  return {
    sizeSectors,
    read,
    readAll: async (pieces) => {
      const ends = await Promise.all(pieces.map(({ sector, into }) => read(sector, into)));
      return ends.find((status) => status !== BioStatus.Ok) ?? BioStatus.Ok;
    },
    write: () => BioStatus.ReadOnly,
  };
}
