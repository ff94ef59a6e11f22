import type { Bio } from "@blkstack/bio";
import type { IoGroup } from "@blkstack/io-group";

/** When a group counts its bios. None of these waits. */
export interface Accounting {
  /** The bio begins to wait. */
  bioHeld(group: IoGroup, bio: Bio, cpu: number): void;
  /** The bio is charged to its own group, once. */
  bioCharged(group: IoGroup, bio: Bio, cpu: number): void;
}

/** Each bio once, when it goes; none as long as there are no statistics. */
export const countsWhenCharged: Accounting = {
  bioHeld() {
    return undefined;
  },
  bioCharged(group, bio, cpu) {
    group.countIo(bio, cpu);
  },
};
