import { Bio, bioEndio, BioStatus, cloneBio } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { ClientQueue } from "./client-queue.ts";

/** Hears that a slot is free again, in interrupt context. */
export interface SlotOwner {
  slotEnded(slot: DispatchSlot, queue: ClientQueue): void;
}

/**
 * A place among the bios that the device has at a time, and the bio that goes there for another one.
 * There are as many as the device may have bios, so that sending one takes no memory.
 */
export class DispatchSlot {
  readonly #owner: SlotOwner;
  readonly #device: BlockDevice;
  readonly #clone: Bio = new Bio();
  #original: Bio | null = null;
  #queue: ClientQueue | null = null;

  constructor(owner: SlotOwner, device: BlockDevice) {
    this.#owner = owner;
    this.#device = device;
  }

  /** The bio that the device has; null while the slot is free. */
  get bio(): Bio | null {
    return this.#original === null ? null : this.#clone;
  }

  /** The bio to submit for `bio`. */
  take(bio: Bio, queue: ClientQueue): Bio {
    const clone = this.#clone;
    clone.reset();
    cloneBio(bio, clone);
    clone.device = this.#device;
    clone.parent = bio;
    clone.endIo = slotBioEnded;
    clone.private = this;
    this.#original = bio;
    this.#queue = queue;
    return clone;
  }

  /** Interrupt context. */
  ended(status: BioStatus): void {
    const original = this.#original;
    const queue = this.#queue;
    if (original === null || queue === null) return;
    this.#original = null;
    this.#queue = null;
    // The place is free before the client hears, for it may send the next one at once.
    this.#owner.slotEnded(this, queue);
    if (status !== BioStatus.Ok) original.status = status;
    bioEndio(original);
  }
}

function slotBioEnded(clone: Bio): void {
  (clone.private as DispatchSlot).ended(clone.status);
}
