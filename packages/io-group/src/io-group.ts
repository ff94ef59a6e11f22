import { type Bio, invariant } from "@blkstack/bio";
import type { PerCpuAllocator } from "@blkstack/memory";
import { type Access, AccessMode } from "@blkstack/task";
import type { GroupStats } from "./group-stats.ts";
import type { Rcu } from "./rcu.ts";

export interface IoGroupOptions {
  readonly name: string;
  /** Kept alive by this group; null for the root. */
  readonly parent: IoGroup | null;
  /** Who may still look at the group when the last reference is put. */
  readonly rcu: Rcu;
  /** Where the statistics go back to. */
  readonly statsMemory: PerCpuAllocator;
  /**
   * Whether the group is part of its device, as the root is, and ends with it. Then there is a
   * second reference from the beginning: the device's. Default: false.
   */
  readonly isEmbedded?: boolean;
}

/**
 * Those who share a device with others, and what they have done with it.
 *
 * It lives while somebody has a reference, and then until all who looked at it without one are
 * done. Creation gives one reference, which `unlink` puts.
 */
export class IoGroup {
  readonly name: string;
  readonly label: string;
  readonly parent: IoGroup | null;
  readonly isEmbedded: boolean;
  readonly #rcu: Rcu;
  readonly #statsMemory: PerCpuAllocator;
  readonly #accesses: GroupAccesses | null;
  #stats: GroupStats | null = null;
  #references: number;
  #isLinked = true;
  #isFreed = false;

  constructor({ name, parent, rcu, statsMemory, isEmbedded = false }: IoGroupOptions) {
    this.name = name;
    this.label = `group "${name}"`;
    this.parent = parent;
    this.isEmbedded = isEmbedded;
    this.#rcu = rcu;
    this.#statsMemory = statsMemory;
    this.#references = isEmbedded ? 2 : 1;
    this.#accesses = rcu.scheduler.isExploring ? new GroupAccesses(this.label) : null;
    parent?.get();
  }

  get references(): number {
    return this.#references;
  }

  /** Whether it can still be found. */
  get isLinked(): boolean {
    return this.#isLinked;
  }

  /** Whether its memory is gone: to touch it is a defect. */
  get isFreed(): boolean {
    return this.#isFreed;
  }

  /**
   * What it has counted; null until statistics are installed, which is well: nothing is counted
   * then. Load it once, for it may come between two looks.
   */
  get stats(): GroupStats | null {
    if (this.#accesses !== null) this.#rcu.scheduler.touch(this.#accesses.readStats);
    this.#assertAlive();
    return this.#stats;
  }

  /** Takes another reference; the caller has one, or reads under RCU what is linked. Waits: never. */
  get(): void {
    this.#touchReferences();
    this.#assertAlive();
    invariant(this.#references > 0, `${this.label}: a reference to what is going`);
    this.#references += 1;
  }

  /** As `get`, for who found it under RCU and may be late: false when it is going. Waits: never. */
  tryGet(): boolean {
    this.#touchReferences();
    this.#assertAlive();
    if (this.#references === 0) return false;
    this.#references += 1;
    return true;
  }

  /** Puts a reference; after the last one it is freed when nobody looks at it. Waits: never. */
  put(): void {
    this.#touchReferences();
    this.#assertAlive();
    invariant(this.#references > 0, `${this.label}: put more often than got`);
    this.#references -= 1;
    if (this.#references > 0) return;
    invariant(!this.#isLinked, `${this.label}: the last reference was put while it can be found`);
    this.#rcu.defer(() => {
      this.#free();
    });
  }

  /**
   * It cannot be found any more. Who comes first, its removal or the end of the device, puts the
   * reference of its creation; to the second one the answer is false. Waits: never.
   */
  unlink(): boolean {
    this.#touchReferences();
    this.#assertAlive();
    if (!this.#isLinked) return false;
    this.#isLinked = false;
    this.put();
    return true;
  }

  /**
   * Installs statistics where there are none: compare and swap. The answer is what was there before:
   * null means that `mine` is in, anything else that `mine` is still the caller's. Waits: never.
   */
  installStats(mine: GroupStats): GroupStats | null {
    if (this.#accesses !== null) this.#rcu.scheduler.touch(this.#accesses.writeStats);
    this.#assertAlive();
    const old = this.#stats;
    if (old === null) this.#stats = mine;
    return old;
  }

  /** Counts a bio that goes down, if there are statistics. Waits: never. */
  countIo(bio: Bio, cpu: number): void {
    const stats = this.stats;
    if (stats !== null) stats.countIo(bio, cpu);
  }

  /** Counts for how long a bio was held back, if there are statistics. Waits: never. */
  countHeld(bio: Bio, heldMs: number, cpu: number): void {
    const stats = this.stats;
    if (stats !== null) stats.countHeld(bio, heldMs, cpu);
  }

  /** Sets all counts to 0; nothing when there are none. Waits: never. */
  resetStats(): void {
    const stats = this.stats;
    if (stats !== null) stats.reset();
  }

  #free(): void {
    if (this.#accesses !== null) this.#rcu.scheduler.touch(this.#accesses.writeStats);
    const stats = this.#stats;
    this.#stats = null;
    if (stats !== null) this.#statsMemory.free(stats.block);
    this.#isFreed = true;
    this.parent?.put();
  }

  #touchReferences(): void {
    if (this.#accesses !== null) this.#rcu.scheduler.touch(this.#accesses.references);
  }

  #assertAlive(): void {
    if (this.#isFreed) invariant(false, `use after free: ${this.label}`);
  }
}

/** How the explorer is told of what steps do to a group. */
class GroupAccesses {
  readonly readStats: Access;
  readonly writeStats: Access;
  readonly references: Access;

  constructor(label: string) {
    const stats = { label: `statistics of ${label}` };
    const references = { label: `references of ${label}` };
    this.readStats = { object: stats, mode: AccessMode.Read, label: `read ${stats.label}` };
    this.writeStats = { object: stats, mode: AccessMode.Write, label: `install ${stats.label}` };
    this.references = { object: references, mode: AccessMode.Write, label: references.label };
  }
}
