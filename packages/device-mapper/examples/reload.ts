import { Bio, bioEndio, BioFlag, BioOp, statusName } from "@blkstack/bio";
import { BlockError, defineTarget, MapResult, RequestQueue, stackingLimits } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

/** Sends its range to the end of the disk below, in pieces of 8 sectors. */
const tail = defineTarget({
  name: "tail",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(1);
    const device = context.openDevice(context.args[0] ?? "");
    const startSector = device.sizeSectors - context.sizeSectors;
    return {
      flushBios: 1,
      maxIoSectors: 8,
      map(bio) {
        bio.device = device;
        bio.sector += startSector - context.begin;
        return MapResult.Remapped;
      },
      status: (kind) => (kind === "table" ? context.deviceLabel(device) : ""),
      devices: () => [{ device, startSector, sizeSectors: context.sizeSectors }],
    };
  },
});

const disk = {
  name: "disk",
  sizeSectors: 1000,
  isReadOnly: false,
  queue: new RequestQueue("disk", { ...stackingLimits(), hasVolatileCache: true }),
  submitBio(bio: Bio) {
    console.log(`disk gets ${bio.sizeBytes === 0 ? "a flush" : bio.toString()}`);
    bioEndio(bio);
  },
};

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([tail]),
  lookup(name) {
    if (name === disk.name) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  },
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 tail disk" });
  await dm.suspend("md", task);
  const flush = new Bio();
  flush.device = dm.get("md");
  flush.op = BioOp.Write;
  flush.flags = BioFlag.Preflush;
  flush.endIo = ({ status }) => {
    console.log(`the flush ended: ${statusName(status)}`);
  };
  await submitter.submitBio(flush, task);
  console.log("suspended: the flush waits");

  await dm.load("md", "0 60 tail disk\n60 40 tail disk", task);
  await dm.resume("md", task);
  try {
    await dm.load("md", "0 100 tail disc", task);
  } catch (error) {
    console.log(error instanceof BlockError ? `${error.errno}: ${error.message}` : error);
  }
});
console.log(dm.table("md").join("\n"));
