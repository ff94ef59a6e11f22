import { Bio, bioEndio, BioOp, BioStatus, chainBio } from "@blkstack/bio";
import { type BlockDevice, RequestQueue, stackingLimits } from "@blkstack/block";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { EventLoopScheduler } from "@blkstack/task/node";

function device(name: string, submitBio: BlockDevice["submitBio"]): BlockDevice {
  const queue = new RequestQueue(name, stackingLimits());
  return { name, sizeSectors: 2048, isReadOnly: false, queue, submitBio };
}

function writeZeroes(to: BlockDevice): Bio {
  const bio = new Bio();
  bio.device = to;
  bio.op = BioOp.WriteZeroes;
  bio.sizeBytes = 4096;
  return bio;
}

const submitter = new MakeRequest();
const disks = ["left", "right"].map((name) =>
  device(name, (bio) => {
    console.log(`  ${bio.toString()} starts`);
    bioEndio(bio);
  }),
);
const mirror = device("mirror", (bio, task) => {
  console.log(`${bio.toString()} arrives`);
  for (const disk of disks) {
    const copy = writeZeroes(disk);
    chainBio(copy, bio);
    void submitter.submitBio(copy, task); // only parks it on the task
  }
  bioEndio(bio);
  console.log("mirror returns");
});

const scheduler = new EventLoopScheduler();
scheduler.spawn("writer", async (task) => {
  const status = await submitAndWait(submitter, writeZeroes(mirror), task);
  console.log(status === BioStatus.Ok ? "the write is done" : "the write failed");
});
await scheduler.idle();
