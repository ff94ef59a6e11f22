import { invariant } from "@blkstack/bio";
import { type Access, AccessMode, type Scheduler } from "@blkstack/task";
import { complaint } from "./complaint.ts";
import type { ControlGroup } from "./control-group.ts";
import type { ThrottleGroup } from "./throttle-group.ts";

/** All groups by name; parents before their children, for they were added first. */
export class ControlGroups {
  /** For those who depend on which groups there are and what their limits are. */
  readonly look: Access;
  readonly #change: Access;
  readonly #scheduler: Scheduler;
  readonly #controls = new Map<string, ControlGroup>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    const groups = { label: "groups and limits of throttle" };
    this.look = { object: groups, mode: AccessMode.Read, label: `look at the ${groups.label}` };
    this.#change = { object: groups, mode: AccessMode.Write, label: `change the ${groups.label}` };
  }

  get names(): string[] {
    this.looks();
    return [...this.#controls.keys()];
  }

  get all(): Iterable<ControlGroup> {
    return this.#controls.values();
  }

  /** Throws a BlockError: ENOENT. */
  of(name: string): ControlGroup {
    this.looks();
    const control = this.#controls.get(name);
    if (control === undefined) throw complaint("ENOENT", `there is no group "${name}"`);
    return control;
  }

  /** Throws a BlockError: EEXIST. */
  checkFree(name: string): void {
    this.looks();
    if (this.#controls.has(name)) throw complaint("EEXIST", `there is a group "${name}" already`);
  }

  add(control: ControlGroup): void {
    this.changes();
    if (control.parent !== null) control.parent.userCount += 1;
    this.#controls.set(control.name, control);
  }

  /** Throws a BlockError: EBUSY while there are ports or groups below it. */
  delete(control: ControlGroup): void {
    this.changes();
    const { name, parent, userCount } = control;
    if (userCount > 0) throw complaint("EBUSY", `the group "${name}" is in use`);
    this.#controls.delete(name);
    if (parent !== null) parent.userCount -= 1;
  }

  clear(): void {
    this.changes();
    this.#controls.clear();
  }

  /** What the group and those below it have made of themselves. */
  groupsFrom(top: ControlGroup): ThrottleGroup[] {
    const found = [...this.#controls.values()].filter((control) => isWithin(control, top));
    return found.flatMap(({ group }) => group ?? []);
  }

  checkNoPortIsOpen(): void {
    const below = new Map<ControlGroup, number>();
    for (const { parent } of this.#controls.values()) {
      if (parent !== null) below.set(parent, (below.get(parent) ?? 0) + 1);
    }
    for (const control of this.#controls.values()) {
      const { name, userCount, parent } = control;
      const isFree = userCount === (below.get(control) ?? 0);
      invariant(isFree, `throttle ends, and a port of "${name}" is open`);
      invariant(parent === null || this.#controls.has(parent.name), "a group without its parent");
    }
  }

  /** What the step that is going on does depends on groups and limits. */
  looks(): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.look);
  }

  /** The step that is going on changes groups or limits, or who uses them. */
  changes(): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#change);
  }
}

function isWithin(control: ControlGroup, top: ControlGroup): boolean {
  for (let at: ControlGroup | null = control; at !== null; at = at.parent) {
    if (at === top) return true;
  }
  return false;
}
