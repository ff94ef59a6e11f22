import { Mutex, WorkItem, WorkQueue } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const queue = new WorkQueue({ scheduler, name: "writeback" });
const lock = new Mutex("cache.lock");

const writeBack = new WorkItem("write back", async (task) => {
  await lock.lock(task);
  lock.unlock(task);
});

// The defect: whoever holds the lock waits for work that needs it.
scheduler.spawn("umount", async (task) => {
  await lock.lock(task);
  queue.queue(writeBack);
  await queue.flush(writeBack, task);
  lock.unlock(task);
});

await scheduler.run();
for (const task of scheduler.sleepers()) {
  const names = task.waitingFor?.blockers().map((blocker) => (blocker as { label: string }).label);
  console.log(
    `${task.name} waits for ${task.waitingFor?.label ?? ""}, that is for ${String(names)}`,
  );
}
