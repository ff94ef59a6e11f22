import type { Target, TargetType } from "@blkstack/block";

/** Which of the flushes that the targets of a table take are sent for one flush of the device. */
export interface FlushPolicy {
  readonly name: string;
  /**
   * What each copy of an empty flush is for, in order. Of several in a table for the same, the first
   * is sent and does for all; null, or no answer: it is for its target alone.
   */
  purposes(target: Target, type: TargetType): readonly (object | null)[];
}

/** One flush for each device below, as far as targets do nothing with theirs but pass them on. */
export const perDevice: FlushPolicy = {
  name: "per-device",
  purposes(target) {
    if (target.flushesPassThrough !== true) return [];
    return target.devices?.().map(({ device }) => device) ?? [];
  },
};

/** Every target its own, however many of them stand on one device. Until Linux 6.10. */
export const perTarget: FlushPolicy = { name: "per-target", purposes: () => [] };
