import { BlockError } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";

/** What targets find by its class: parts of the system, and what they have in common. */
export class Services {
  readonly #scheduler: Scheduler;
  readonly #given: readonly object[];
  readonly #shared = new Map<new (scheduler: Scheduler) => object, object>();

  constructor(scheduler: Scheduler, given: readonly object[]) {
    this.#scheduler = scheduler;
    this.#given = given;
  }

  /** Throws a BlockError (ENODEV) when the owner of the devices has given none of that class. */
  get<T extends object>(kind: abstract new (...args: never[]) => T): T {
    const found = this.#given.find((service): service is T => service instanceof kind);
    if (found !== undefined) return found;
    throw new BlockError("BLK_STATE", "ENODEV", `this device mapper was given no ${kind.name}`);
  }

  /** One for all, made when first asked for. */
  shared<T extends object>(kind: new (scheduler: Scheduler) => T): T {
    const known = this.#shared.get(kind);
    if (known !== undefined) return known as T;
    const made = new kind(this.#scheduler);
    this.#shared.set(kind, made);
    return made;
  }
}
