import { Bio, bioEndio, BioOp, opName, statusName } from "@blkstack/bio";
import { type BlockDevice, BlockError, RequestQueue, stackingLimits } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { linear } from "@blkstack/dm-linear";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

function disk(name: string): BlockDevice {
  return {
    name,
    sizeSectors: 1000,
    isReadOnly: false,
    queue: new RequestQueue(name, { ...stackingLimits(), maxDiscardSectors: 1000 }),
    submitBio(bio) {
      console.log(`${name}: ${opName(bio.op)} ${String(bio.sector)}+${String(bio.sectors)}`);
      bioEndio(bio);
    },
  };
}

const disks = [disk("a"), disk("b")];
const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([linear]),
  lookup(name) {
    const found = disks.find((each) => each.name === name);
    if (found === undefined) throw new BlockError("BLK_DEVICE", "ENODEV", `no "${name}"`);
    return found;
  },
});

await scheduler.perform("example", async (task) => {
  // The first 100 sectors lie on one disk, the next 100 on another.
  await dm.create("md", task, { table: "0 100 linear a 500\n100 100 linear b 0" });
  console.log(dm.table("md").join("\n"));

  const bio = new Bio();
  bio.device = dm.get("md");
  bio.op = BioOp.Discard;
  bio.sector = 90;
  bio.sizeBytes = 20 * 512;
  bio.endIo = ({ status }) => {
    console.log(`the whole: ${statusName(status)}`);
  };
  await submitter.submitBio(bio, task);
});
