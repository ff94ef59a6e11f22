import { BlockError, type Target } from "@blkstack/block";
import { Mutex, type Task } from "@blkstack/task";
import { DeviceUsers } from "./device-users.ts";
import { Drain } from "./drain.ts";
import type { Interruption } from "./interruption.ts";
import type { LoadedTable } from "./loaded-table.ts";
import type { MappedDevice } from "./mapped-device.ts";
import { tableLimits } from "./table-limits.ts";

export interface SuspendOptions {
  /** Targets may hand bios back instead of ending them; they are sent again after the resume. */
  readonly noflush?: boolean;
  /** Users of the device are not asked to keep changes back; nor are they with `noflush`. */
  readonly nolockfs?: boolean;
  /** Raised, it calls the suspend off while that waits for bios: EINTR, and all is undone. */
  readonly interruption?: Interruption;
}

/** Destroys a table that is no longer used, and closes its devices. */
export type Unload = (loaded: LoadedTable, task: Task) => Promise<void>;

/** Takes one mapped device from table to table. One command at a time. */
export class LifeCycle {
  readonly device: MappedDevice;
  /** Who is asked before a suspend. */
  readonly users: DeviceUsers = new DeviceUsers();
  /** Messages that targets of the live table are busy with; the table stays as long. */
  readonly messages: Drain;
  #inactive: LoadedTable | null = null;
  #isSuspended = false;
  #hasHadTable = false;
  readonly #lock: Mutex;
  readonly #unload: Unload;
  /** Who holds bios back from inside, however often; people's commands wait for them. */
  readonly #internalHolds: Drain;
  /** Whose command is going on. */
  #commander: Task | null = null;

  constructor(device: MappedDevice, unload: Unload) {
    this.device = device;
    this.#lock = new Mutex(`suspend of ${device.name}`);
    this.#internalHolds = new Drain(`internal suspends of ${device.name}`, device.scheduler);
    this.messages = new Drain(`messages to ${device.name}`, device.scheduler);
    this.#unload = unload;
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  get inactive(): LoadedTable | null {
    return this.#inactive;
  }

  /**
   * Makes a table the next one to be resumed with; an earlier such table is dropped. The first
   * table of a device is checked against the devices below at once, later ones when they go live.
   */
  async load(loaded: LoadedTable, task: Task): Promise<void> {
    await this.#locked(task, async () => {
      try {
        if (!this.#hasHadTable) loaded.limits = tableLimits(loaded.table, this.device.deviceNumber);
      } catch (error) {
        await this.#unload(loaded, task);
        throw error;
      }
      this.#hasHadTable = true;
      await this.#dropInactive(task);
      this.#inactive = loaded;
    });
  }

  async clear(task: Task): Promise<void> {
    await this.#locked(task, () => this.#dropInactive(task));
  }

  /** Waits: until all bios in flight have ended, or come back. */
  async suspend(task: Task, options: SuspendOptions = {}): Promise<void> {
    await this.#locked(task, () => this.#suspend(task, options));
  }

  /** Goes live with the loaded table, if there is one, and lets bios flow. */
  async resume(task: Task, options: SuspendOptions = {}): Promise<void> {
    await this.#locked(task, async () => {
      const next = this.#inactive;
      if (next === null && !this.#isSuspended) return;
      if (next === null) {
        await this.#restart(task);
        return;
      }
      await this.#suspend(task, options);
      await this.#check(next, task);
      const before = await this.#swapIn(next, task);
      try {
        await this.#restart(task);
      } finally {
        if (before !== null) await this.#retire(before, task);
      }
    });
  }

  /**
   * Keeps bios from the targets, which are not told, until `resumeInternally` was called as often.
   * Waits: until none is in flight.
   */
  async suspendInternally(task: Task): Promise<void> {
    // A target that asks while it is resumed: no bio is in flight, nor will be before it is done.
    const isOwnCommand = this.#commander === task;
    if (!isOwnCommand) await this.#lock.lock(task);
    try {
      this.#internalHolds.enter(task);
      if (this.#isSuspended || this.#internalHolds.count > 1) return;
      await this.device.block(task);
      await this.device.inFlight.wait(task);
    } finally {
      if (!isOwnCommand) this.#lock.unlock(task);
    }
  }

  async resumeInternally(task: Task): Promise<void> {
    const isOwnCommand = this.#commander === task;
    if (!isOwnCommand) await this.#lock.lock(task);
    try {
      this.#internalHolds.leave(task);
      if (this.#isSuspended) return;
      this.device.live?.table.refresh();
      this.#unblock(task);
    } finally {
      if (!isOwnCommand) this.#lock.unlock(task);
    }
  }

  /** Ends everything: bios in flight are waited for, those that were kept fail. */
  async destroy(task: Task): Promise<void> {
    await this.#locked(task, async () => {
      await this.#suspend(task, { nolockfs: true });
      await this.#dropInactive(task);
      const live = await this.device.swap(null, task);
      await this.device.destroy(task);
      if (live !== null) await this.#retire(live, task);
      await this.users.thaw(task);
    });
  }

  async #suspend(task: Task, options: SuspendOptions): Promise<void> {
    if (this.#isSuspended) return;
    const { noflush = false, nolockfs = false, interruption = null } = options;
    const { device } = this;
    device.isPushingBack = noflush;
    const told: Target[] = [];
    try {
      for (const target of this.#targets()) {
        told.push(target);
        await target.presuspend?.(task);
      }
      if (!noflush && !nolockfs) await this.users.freeze(task);
      await device.block(task, interruption);
      await device.inFlight.wait(task, interruption);
      if (device.isBusy) throw interrupted(device);
    } catch (error) {
      await this.#undoSuspend(told, task);
      throw error;
    }
    this.#isSuspended = true;
    device.isPushingBack = false;
    for (const target of this.#targets()) await target.postsuspend?.(task);
  }

  /** Bios that were given back meanwhile go on first. */
  async #undoSuspend(told: readonly Target[], task: Task): Promise<void> {
    this.device.isPushingBack = false;
    this.#unblock(task);
    await this.users.thaw(task);
    for (const target of told) await target.presuspendUndo?.(task);
  }

  async #check(next: LoadedTable, task: Task): Promise<void> {
    try {
      next.limits ??= tableLimits(next.table, this.device.deviceNumber);
    } catch (error) {
      // The old table stays, and stays suspended: whoever loads a better one resumes with that.
      await this.#dropInactive(task);
      throw error;
    }
  }

  /** Answers the table before. Without memory for its bios the next one stays loaded. */
  async #swapIn(next: LoadedTable, task: Task): Promise<LoadedTable | null> {
    this.#inactive = null;
    try {
      return await this.device.swap(next, task);
    } catch (error) {
      this.#inactive = next;
      throw error;
    }
  }

  async #restart(task: Task): Promise<void> {
    const { live } = this.device;
    if (live === null) {
      const message = `mapped device "${this.device.name}" has no table to resume with`;
      throw new BlockError("BLK_STATE", "EINVAL", message);
    }
    const targets = this.#targets();
    for (const target of targets) await target.preresume?.(task);
    for (const target of targets) await target.resume?.(task);
    live.table.refresh();
    this.#isSuspended = false;
    this.#unblock(task);
    await this.users.thaw(task);
  }

  /** A target may have taken hold of the device inside the command that ends here. */
  #unblock(task: Task): void {
    if (this.#internalHolds.count === 0) this.device.unblock(task);
  }

  async #retire(before: LoadedTable, task: Task): Promise<void> {
    await this.messages.wait(task);
    await this.#unload(before, task);
  }

  #targets(): Target[] {
    return (this.device.live?.table.entries ?? []).map(({ target }) => target);
  }

  async #dropInactive(task: Task): Promise<void> {
    const dropped = this.#inactive;
    this.#inactive = null;
    if (dropped !== null) await this.#unload(dropped, task);
  }

  async #locked(task: Task, command: () => Promise<void>): Promise<void> {
    await this.#lock.lock(task);
    while (this.#internalHolds.count > 0) {
      this.#lock.unlock(task);
      await this.#internalHolds.wait(task);
      await this.#lock.lock(task);
    }
    this.#commander = task;
    try {
      await command();
    } finally {
      this.#commander = null;
      this.#lock.unlock(task);
    }
  }
}

function interrupted({ name }: MappedDevice): BlockError {
  const message = `the suspend of mapped device "${name}" was called off while it waited for bios`;
  return new BlockError("BLK_STATE", "EINTR", message);
}
