import { type Bio, BioList } from "@blkstack/bio";
import type { BioSet } from "@blkstack/bio-set";
import type { SleepHook, Task } from "@blkstack/task";

/**
 * What happens to the bios parked on a task when the map that it is in first sleeps. They go to the
 * rescuers of their sets; bios without one stay. The second sleep of one map rescues nothing.
 */
export interface Offload {
  readonly name: string;
  readonly rescueParked: SleepHook;
}

/** Rescues what the driver call in progress has submitted; older bios stay parked. */
export const offloadCurrent: Offload = {
  name: "list0",
  rescueParked(task) {
    task.sleepHook = null;
    if (task.bioLists !== null) rescue(task.bioLists.current, task);
  },
};

/** Rescues from both lists. Linux 4.11 to 4.15. */
export const offloadBoth: Offload = {
  name: "both",
  rescueParked(task) {
    task.sleepHook = null;
    if (task.bioLists === null) return;
    rescue(task.bioLists.current, task);
    rescue(task.bioLists.older, task);
  },
};

/** The others keep their order. Nothing runs in between, so the rescuers' lists need no lock. */
function rescue(list: BioList, task: Task): void {
  const staying = new BioList();
  for (let bio = list.pop(); bio !== null; bio = list.pop()) {
    const rescuer = rescuerOf(bio);
    if (rescuer === null) {
      staying.add(bio);
      continue;
    }
    rescuer.list.add(bio);
    rescuer.queue(task);
  }
  list.mergeInit(staying);
}

/** Asks for the field: the set of a target that was installed elsewhere is of another class. */
function rescuerOf({ pool }: Bio): BioSet["rescuer"] {
  return (pool as Partial<BioSet> | null)?.rescuer ?? null;
}
