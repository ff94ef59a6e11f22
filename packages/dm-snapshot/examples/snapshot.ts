import { Bio, BioOp, createVecs } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { snapshot, snapshotOrigin } from "@blkstack/dm-snapshot";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const disk = new RamDisk({ name: "disk", sizeSectors: 64, scheduler });
const cow = new RamDisk({ name: "cow", sizeSectors: 64, scheduler });
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([snapshot, snapshotOrigin]),
  lookup: (name) => (name === "cow" ? cow : disk),
});

await scheduler.perform("example", async (task) => {
  /** Writes a sector full of a byte, or reads one and answers its first byte. */
  const send = async (name: string, op: BioOp, byte = 0): Promise<number | undefined> => {
    const page = { bytes: new Uint8Array(512).fill(byte), frame: 0 };
    const bio = new Bio();
    Object.assign(bio, { device: dm.get(name), op, sector: 3, vecs: createVecs(1), vecMax: 1 });
    bio.addPage(page, 512, 0);
    await submitAndWait(submitter, bio, task);
    return page.bytes[0];
  };

  await dm.create("vm", task, { table: "0 64 snapshot-origin disk" });
  await send("vm", BioOp.Write, 1);
  await dm.create("before", task, { table: "0 64 snapshot disk cow P 8" });
  await send("vm", BioOp.Write, 2);
  const [now, then] = [await send("vm", BioOp.Read), await send("before", BioOp.Read)];
  console.log(`vm has ${String(now)}, before has ${String(then)}`);
  console.log(dm.status("before").join("\n"));
});
