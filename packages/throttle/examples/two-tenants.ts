import { Bio, bioEndio, BioOp } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { parseLimits, Throttle, type ThrottlePort } from "@blkstack/throttle";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler({ startMs: 1000 });
const memory = new Memory({ scheduler });
const submitter: Submitter = { submitBio: bioEndio }; // a disk that is fast
const throttle = new Throttle({ scheduler, memory, submitter });
throttle.addGroup("both", { limits: { rbps: 1048576 } });
throttle.addGroup("one", { parent: "both" });
throttle.addGroup("two", { parent: "both" });

async function read(port: ThrottlePort, name: string): Promise<void> {
  await scheduler.perform(name, async (task) => {
    const bio = new Bio();
    bio.op = BioOp.Read;
    bio.sizeBytes = 65536;
    bio.endIo = () => {
      console.log(`${name} after ${String(scheduler.clock.nowMs() - 1000)} ms`);
    };
    if (!(await port.throttle(bio, task))) bioEndio(bio);
  });
}

const [one, two] = [throttle.openPort("one"), throttle.openPort("two")];
for (const name of ["one, 1st", "one, 2nd", "one, 3rd"]) await read(one, name);
await read(two, "two, 1st");
await scheduler.advance(200);
throttle.setLimits("both", parseLimits("rbps=max", throttle.limitsOf("both")));
await scheduler.advance(1000);
console.log(throttle.ioStat("both", "254:0"));
