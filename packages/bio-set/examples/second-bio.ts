import { type Bio, bioEndio } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { allFail, GFP_NOIO, Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });

// Inside a driver call a bio is only parked; @blkstack/make-request does all of this.
function submitBio(bio: Bio, task: Task): void {
  if (task.bioLists !== null) {
    task.bioLists.current.add(bio);
    return;
  }
  console.log(`${task.name} sends bio ${String(bio.serial)} to the disk`);
  bioEndio(bio);
}

const options = { name: "mirror", scheduler, memory, poolSize: 1 };
const set = new BioSet({ ...options, rescuer: true, submitter: { submitBio } });
memory.faultPlan = allFail;

scheduler.spawn("writer", async (task) => {
  task.bioLists = task.ownBioLists;
  for (const leg of ["first", "second"]) {
    const bio = await set.alloc(GFP_NOIO, 0, task);
    if (bio === null) throw new Error("a mask that may wait never answers null");
    console.log(`the ${leg} leg gets bio ${String(bio.serial)}`);
    bio.endIo = (ended) => {
      ended.put();
    };
    submitBio(bio, task);
  }
  const last = task.bioLists.current.pop();
  task.bioLists = null;
  if (last !== null) submitBio(last, task);
});
await scheduler.run();
console.log(`punts: ${String(set.counters.punts)}, rescued: ${String(set.counters.rescued)}`);
