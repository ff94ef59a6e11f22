import { BioOp } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { NullDisk } from "@blkstack/disk-ram";
import { linear } from "@blkstack/dm-linear";
import Table from "cli-table3";
import { type BioCost, BioLoad, type Ground, onGround, SIZE_SECTORS } from "./bio-cost.ts";
import { benchSnapshotLayers } from "./snapshot-layers.ts";

const LAYERS = [0, 1, 4, 16];
const ROUNDS = 100;

interface Cost extends BioCost {
  readonly layers: number;
  readonly isCounting: boolean;
}

/** What one 4 KiB read costs on its way through layers to a disk that does nothing. */
export async function benchLayers(): Promise<void> {
  const costs: Cost[] = [];
  for (const isCounting of [false, true]) {
    for (const layers of LAYERS) costs.push(await measure(layers, isCounting));
  }
  const table = new Table({
    head: ["linear layers", "ns per bio", "ns per layer", "heap bytes per bio", "promises per bio"],
  });
  for (const { layers, isCounting, ns, heapBytes, promises } of costs) {
    const bare = costs.find((cost) => cost.layers === 0 && cost.isCounting === isCounting);
    const perLayer = layers === 0 ? "–" : ((ns - (bare?.ns ?? 0)) / layers).toFixed(1);
    table.push([
      `${String(layers)}${isCounting ? ", counted" : ""}`,
      ns.toFixed(1),
      perLayer,
      heapBytes.toFixed(2),
      promises.toFixed(4),
    ]);
  }
  console.log(table.toString());
  const awaitedNs = await awaitedLayerNs();
  console.log(`a layer that does nothing but await the next: ${awaitedNs.toFixed(1)} ns`);
  await benchSnapshotLayers();
}

/** The same depth of calls with `async` everywhere, for comparison in the same run. */
async function awaitedLayerNs(): Promise<number> {
  const depth = 16;
  const calls = 2_000;
  const layer = async (below: number): Promise<number> =>
    below === 0 ? 0 : 1 + (await layer(below - 1));
  for (let warm = 0; warm < calls; warm += 1) await layer(depth);
  let leastNs = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startNs = process.hrtime.bigint();
    for (let call = 0; call < calls; call += 1) await layer(depth);
    leastNs = Math.min(leastNs, Number(process.hrtime.bigint() - startNs));
  }
  return leastNs / (calls * depth);
}

function measure(layers: number, isCounting: boolean): Promise<Cost> {
  const body = async (ground: Ground): Promise<Cost> => {
    const { scheduler, submitter } = ground;
    const bottom = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
    submitter.addDevice?.(bottom);
    const device = await stackUp(layers, bottom, ground);
    return { layers, isCounting, ...new BioLoad(ground).cost(device, BioOp.Read) };
  };
  return onGround(body, { isCounting });
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
