import { createHook } from "node:async_hooks";
import { type Bio, BioOp, PAGE_BYTES, type Page } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { NullDisk } from "@blkstack/disk-ram";
import { linear } from "@blkstack/dm-linear";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { GFP_NOIO, isPending, type Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import Table from "cli-table3";

const SIZE_SECTORS = 1 << 20;
const LAYERS = [0, 1, 4, 16];
const BIOS_PER_ROUND = 20_000;
const ROUNDS = 100;
const BIOS_WATCHED = 100_000;

interface Cost {
  readonly layers: number;
  readonly nsPerBio: number;
  readonly heapBytesPerBio: number;
  readonly promisesPerBio: number;
}

/** What one 4 KiB read costs on its way through linear layers to a disk that does nothing. */
export async function benchLayers(): Promise<void> {
  const costs: Cost[] = [];
  for (const layers of LAYERS) costs.push(await measure(layers));
  const [bare] = costs;
  const table = new Table({
    head: ["linear layers", "ns per bio", "ns per layer", "heap bytes per bio", "promises per bio"],
  });
  for (const { layers, nsPerBio, heapBytesPerBio, promisesPerBio } of costs) {
    const perLayer = layers === 0 ? "–" : ((nsPerBio - (bare?.nsPerBio ?? 0)) / layers).toFixed(1);
    table.push([
      String(layers),
      nsPerBio.toFixed(1),
      perLayer,
      heapBytesPerBio.toFixed(2),
      promisesPerBio.toFixed(4),
    ]);
  }
  console.log(table.toString());
  const awaitedNs = await awaitedLayerNs();
  console.log(`a layer that does nothing but await the next: ${awaitedNs.toFixed(1)} ns`);
}

/** The same depth of calls with `async` everywhere, for comparison in the same run. */
async function awaitedLayerNs(): Promise<number> {
  const depth = 16;
  const calls = 2_000;
  const layer = async (below: number): Promise<number> =>
    below === 0 ? 0 : 1 + (await layer(below - 1));
  for (let warm = 0; warm < calls; warm += 1) await layer(depth);
  let leastMicros = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMicros = nowMicros();
    for (let call = 0; call < calls; call += 1) await layer(depth);
    leastMicros = Math.min(leastMicros, nowMicros() - startMicros);
  }
  return (leastMicros * 1000) / (calls * depth);
}

async function measure(layers: number): Promise<Cost> {
  const scheduler = new EventLoopScheduler();
  const memory = new Memory({ scheduler });
  const submitter = new MakeRequest();
  const set = new BioSet({ name: "bench", scheduler, memory, poolSize: 2, needBvecs: true });
  const bottom = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
  return new Promise((resolve, reject) => {
    scheduler.spawn("bench", async (task) => {
      try {
        const device = await stackUp(layers, bottom, { scheduler, memory, submitter, task });
        resolve({ layers, ...run({ device, set, submitter, task }) });
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

interface Ground {
  readonly scheduler: EventLoopScheduler;
  readonly memory: Memory;
  readonly submitter: Submitter;
  readonly task: Task;
}

async function stackUp(layers: number, bottom: BlockDevice, ground: Ground): Promise<BlockDevice> {
  const registry = new TargetRegistry();
  registry.register(linear);
  const mapper = new DeviceMapper({ ...ground, registry, lookup: () => bottom });
  let below = bottom;
  for (let layer = 0; layer < layers; layer += 1) {
    const table = `0 ${String(SIZE_SECTORS)} linear ${below.name} 0`;
    below = await mapper.create(`layer${String(layer)}`, ground.task, { table });
  }
  return below;
}

interface Bench {
  readonly device: BlockDevice;
  readonly set: BioSet;
  readonly submitter: Submitter;
  readonly task: Task;
}

function run(bench: Bench): Omit<Cost, "layers"> {
  // The least disturbed of many short rounds: the others tell more of the machine's other work.
  let leastMicros = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMicros = nowMicros();
    sendBios(bench, BIOS_PER_ROUND);
    leastMicros = Math.min(leastMicros, nowMicros() - startMicros);
  }
  const nsPerBio = (leastMicros * 1000) / BIOS_PER_ROUND;
  return { nsPerBio, ...watch(bench) };
}

function nowMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** Few enough bios that no collection falls between the two looks at the heap. */
function watch(bench: Bench): { heapBytesPerBio: number; promisesPerBio: number } {
  let promises = 0;
  globalThis.gc?.();
  const beforeBytes = process.memoryUsage().heapUsed;
  sendBios(bench, BIOS_WATCHED);
  const heapBytes = process.memoryUsage().heapUsed - beforeBytes;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "PROMISE") promises += 1;
    },
  }).enable();
  sendBios(bench, BIOS_WATCHED);
  hook.disable();
  return { heapBytesPerBio: heapBytes / BIOS_WATCHED, promisesPerBio: promises / BIOS_WATCHED };
}

let ended = 0;
function countEnd(bio: Bio): void {
  ended += 1;
  bio.put();
}

const page: Page = { bytes: new Uint8Array(PAGE_BYTES), frame: 0 };

function sendBios({ device, set, submitter, task }: Bench, count: number): void {
  const endedBefore = ended;
  for (let sent = 0; sent < count; sent += 1) {
    const bio = set.alloc(GFP_NOIO, 1, task);
    if (bio === null || isPending(bio)) throw new Error("the bench ran out of bios");
    bio.device = device;
    bio.op = BioOp.Read;
    bio.sector = (sent * 8) % SIZE_SECTORS;
    bio.addPage(page, PAGE_BYTES, 0);
    bio.endIo = countEnd;
    if (isPending(submitter.submitBio(bio, task))) throw new Error("a bench bio had to wait");
  }
  if (ended - endedBefore !== count) throw new Error("bench bios were lost");
}
