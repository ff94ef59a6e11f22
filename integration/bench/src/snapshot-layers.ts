import { Bio, BioOp, BioStatus, createVecs, PAGE_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { NullDisk } from "@blkstack/disk-ram";
import { linear } from "@blkstack/dm-linear";
import { snapshot, snapshotOrigin } from "@blkstack/dm-snapshot";
import { submitAndWait } from "@blkstack/make-request";
import Table from "cli-table3";
import { BioLoad, type Ground, onGround, SIZE_SECTORS } from "./bio-cost.ts";

const CHUNK_SECTORS = 8;

/** Devices on disks that do nothing: one snapshot has a copy of every chunk, the other has none. */
interface Devices {
  readonly bare: BlockDevice;
  readonly linear: BlockDevice;
  readonly copied: BlockDevice;
  readonly fresh: BlockDevice;
  /** Of the snapshot that has everything. */
  readonly origin: BlockDevice;
}

/** What a snapshot adds to a bio of 4 KiB that has nothing to copy, beside what a linear layer adds. */
export async function benchSnapshotLayers(): Promise<void> {
  const rows = await onGround(async (ground) => {
    const devices = await stackUp(ground);
    const { bare, copied, fresh, origin } = devices;
    const loads = [
      { name: "no layer", device: bare, op: BioOp.Read },
      { name: "linear", device: devices.linear, op: BioOp.Read },
      { name: "snapshot: read what the origin has", device: fresh, op: BioOp.Read },
      { name: "snapshot: read a copied chunk", device: copied, op: BioOp.Read },
      { name: "snapshot: write a copied chunk", device: copied, op: BioOp.Write },
      { name: "snapshot-origin: read", device: origin, op: BioOp.Read },
      { name: "snapshot-origin: write a copied chunk", device: origin, op: BioOp.Write },
    ];
    const load = new BioLoad(ground);
    const costs = load.compare(loads);
    return loads.map(({ name }, index) => ({ name, ns: costs[index] ?? NaN }));
  });
  const [bareNs = NaN, linearNs = NaN] = rows.map(({ ns }) => ns);
  const table = new Table({
    head: ["layer", "ns per bio", "ns of the layer", "ratio to linear"],
    colAligns: ["left", "right", "right", "right"],
  });
  for (const { name, ns } of rows.slice(1)) {
    const ratio = (ns - bareNs) / (linearNs - bareNs);
    table.push([name, ns.toFixed(1), (ns - bareNs).toFixed(1), ratio.toFixed(2)]);
  }
  console.log(table.toString());
}

async function stackUp(ground: Ground): Promise<Devices> {
  const { scheduler, task } = ground;
  const disks = new Map<string, BlockDevice>();
  for (const name of ["base", "cow", "quiet", "quiet-cow"]) {
    disks.set(name, new NullDisk({ name, sizeSectors: SIZE_SECTORS, scheduler }));
  }
  const find = (name: string): BlockDevice => {
    const disk = disks.get(name);
    if (disk === undefined) throw new RangeError(`no disk ${name}`);
    return disk;
  };
  const registry = new TargetRegistry([linear, snapshot, snapshotOrigin]);
  const mapper = new DeviceMapper({ ...ground, registry, lookup: find });
  const create = (name: string, target: string): Promise<BlockDevice> =>
    mapper.create(name, task, { table: `0 ${String(SIZE_SECTORS)} ${target}` });
  const copied = await create("copied", `snapshot base cow N ${String(CHUNK_SECTORS)}`);
  await writeAll(copied, ground);
  return {
    bare: find("base"),
    linear: await create("linear", "linear base 0"),
    copied,
    fresh: await create("fresh", `snapshot quiet quiet-cow N ${String(CHUNK_SECTORS)}`),
    origin: await create("origin", "snapshot-origin base"),
  };
}

/** Gives every chunk a place in the store. */
async function writeAll(device: BlockDevice, { submitter, task }: Ground): Promise<void> {
  const page = { bytes: new Uint8Array(PAGE_BYTES), frame: 0 };
  for (let sector = 0; sector < SIZE_SECTORS; sector += CHUNK_SECTORS) {
    const bio = new Bio();
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.device = device;
    bio.op = BioOp.Write;
    bio.sector = sector;
    bio.addPage(page, PAGE_BYTES, 0);
    const status = await submitAndWait(submitter, bio, task);
    if (status !== BioStatus.Ok) throw new Error("a chunk of the bench was not copied");
  }
}
