import { BlockError } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import { runInTask } from "./run-in-task.ts";

/**
 * Lets all suspended devices go on, with the tables that they had: what was loaded since is dropped.
 * One that cannot be resumed fails everything from then on, so that nobody waits for it.
 *
 * Throws the first error, after all were tried.
 */
export async function resumeDevices(mapper: DeviceMapper, task: Task): Promise<void> {
  const errors: unknown[] = [];
  for (const { name } of inOrderOfAge(mapper)) {
    if (!mapper.info(name).isSuspended) continue;
    try {
      await mapper.clear(name, task);
      if (mapper.info(name).hasLiveTable) await mapper.resume(name, task);
    } catch (error) {
      errors.push(error);
      await mapper.wipe(name, task, { noflush: true, nolockfs: true });
    }
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Removes all devices that there are, each before those that it stands on. Those that are suspended
 * go on first: bios of others, which wait in them, could else never end.
 *
 * Waits: until what was submitted has ended. Throws the first error, after everything was tried;
 * EBUSY for a device that somebody has open.
 */
export async function removeDevices(mapper: DeviceMapper, scheduler: Scheduler): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (what: string, step: (task: Task) => Awaitable<void>): Promise<void> => {
    await runInTask(scheduler, what, step).catch((error: unknown) => errors.push(error));
  };
  await attempt("resume devices", (task) => resumeDevices(mapper, task));
  for (let name = nextToRemove(mapper); name !== null; name = nextToRemove(mapper)) {
    const removed = name;
    await attempt(`remove ${removed}`, (task) => mapper.remove(removed, task));
  }
  for (const { name } of mapper.list()) {
    errors.push(new BlockError("BLK_STATE", "EBUSY", `mapped device "${name}" is still open`));
  }
  if (errors.length > 0) throw errors[0];
}

/** Of those that nobody has open, the youngest. */
function nextToRemove(mapper: DeviceMapper): string | null {
  const unused = inOrderOfAge(mapper).filter(({ name }) => mapper.info(name).openCount === 0);
  return unused.at(-1)?.name ?? null;
}

/** Nearly so: the number of a device that is gone is given again. */
function inOrderOfAge(mapper: DeviceMapper): ReturnType<DeviceMapper["list"]> {
  return mapper.list().sort((a, b) => a.minor - b.minor);
}
