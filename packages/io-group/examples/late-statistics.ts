import { Bio, BioOp } from "@blkstack/bio";
import { correctAsync, ioStatLine, IoGroup, Rcu } from "@blkstack/io-group";
import { failsTheNth, Memory, PerCpuAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler, faultPlan: failsTheNth(1) });
const statsMemory = new PerCpuAllocator({ memory, cpus: 4, label: "statistics" });
const rcu = new Rcu(scheduler);
const installer = correctAsync({ scheduler, memory: statsMemory });
const group = new IoGroup({ name: "tenant", parent: null, rcu, statsMemory });

const write = new Bio();
write.op = BioOp.Write;
write.sizeBytes = 4096;

await scheduler.perform("submitter", (task) => {
  void installer.request(group, task); // never waits
  group.countIo(write, task.cpu);
});
console.log(ioStatLine("254:0", [group]));
await scheduler.advance(10); // the first attempt found no memory
group.countIo(write, 0);
group.countIo(write, 3);
console.log(ioStatLine("254:0", [group]));

installer.cancel(group);
group.unlink();
console.log(`${String(statsMemory.liveCount)} blocks of statistics left`);
