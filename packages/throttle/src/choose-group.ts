import type { IoGroup, Rcu } from "@blkstack/io-group";
import type { Task } from "@blkstack/task";

/** Where the group of a bio is looked for, under the lock of the throttle. */
export interface GroupLookup<Group extends IoGroup> {
  readonly rcu: Rcu;
  readonly root: Group;
  /** Null: it is not there, and there is no memory for it now. Waits: never. */
  findOrCreate(): Group | null;
}

/** Which group a bio is charged to; null: none, and it goes uncounted. Waits: never. */
export type ChooseGroup = <Group extends IoGroup>(
  lookup: GroupLookup<Group>,
  task: Task,
) => Group | null;

/**
 * Its own, or the root for want of memory: then the bio is neither refused nor held, and the next one
 * of the group tries again.
 */
export const ownGroupOrRoot: ChooseGroup = (lookup, task) => {
  const phase = lookup.rcu.readLock(task);
  const group = lookup.findOrCreate() ?? lookup.root;
  lookup.rcu.readUnlock(phase, task);
  return group;
};
