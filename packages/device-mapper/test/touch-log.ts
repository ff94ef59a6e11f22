import { type Access, AccessMode } from "@blkstack/task";
import { VirtualScheduler, type VirtualSchedulerOptions } from "@blkstack/task/virtual";

const MODE_NAMES: readonly string[] = Object.keys(AccessMode);

/** A scheduler that notes what tasks tell it of, as an explorer hears it. */
export class TouchLog extends VirtualScheduler {
  /** `Write deferred bios of md: defer in md` */
  readonly touches: string[] = [];
  override readonly touch: (access: Access) => void = ({ object, mode, label }) => {
    this.touches.push(`${MODE_NAMES[mode] ?? "?"} ${object.label}: ${label}`);
  };

  constructor(options: VirtualSchedulerOptions = {}) {
    super(options);
  }

  /** What was noted since the last time. */
  take(): string[] {
    return this.touches.splice(0);
  }
}
