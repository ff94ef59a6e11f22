import { Bio, BioOp, createVecs, opName, statusName } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { dust } from "@blkstack/dm-dust";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const disk = new RamDisk({ name: "disk", sizeSectors: 100, scheduler });
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([dust]),
  lookup: () => disk,
  onLog: console.log,
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 dust disk 0 512" });
  await dm.message("md", 0, ["addbadblock", "60"], task);
  await dm.message("md", 0, ["enable"], task);
  console.log(dm.status("md").join());
  for (const op of [BioOp.Read, BioOp.Write, BioOp.Read]) {
    const bio = new Bio();
    bio.device = dm.get("md");
    bio.op = op;
    bio.sector = 60;
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes: new Uint8Array(512), frame: 0 }, 512, 0);
    bio.endIo = ({ status }) => {
      console.log(`${opName(op)}: ${statusName(status)}`);
    };
    await submitter.submitBio(bio, task);
  }
});
