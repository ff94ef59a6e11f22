import { BioList } from "@blkstack/bio";
import type { CfqGroup } from "./cfq-group.ts";
import type { Jiffies } from "./timing.ts";

/** Instead of a time: there is none. */
export const NO_TIME = -1;

/** Of the mean of think times each new one makes up an eighth. */
const MEAN_SHIFT = 3;

/** The bios of one client, or of all that nobody waits for; those of a group take turns. */
export class ClientQueue {
  readonly label: string;
  readonly isSync: boolean;
  /** From 0, served longest, to 7. */
  readonly priority: number;
  readonly bios: BioList = new BioList();
  /** What it is part of; null until its first bio comes, and after the client has gone. */
  group: CfqGroup | null;
  queued = 0;
  /** Bios that the device has. */
  inFlight = 0;
  /** Whether it has bios that wait, or is being served. */
  isBusy = false;
  /** Since when it has no bio, neither waiting nor under way; `NO_TIME` while it has some. */
  emptySince: Jiffies = NO_TIME;
  /** Owned by its group. */
  nextInGroup: ClientQueue | null = null;
  /** The mean time from its running empty to its next bio, shifted to be a whole number. */
  #thinkSum = 0;

  constructor(label: string, isSync: boolean, priority: number, group: CfqGroup | null) {
    this.label = label;
    this.isSync = isSync;
    this.priority = priority;
    this.group = group;
  }

  /** How long its client lets it be empty, on average, while others wait. */
  get thinkTicks(): Jiffies {
    return this.#thinkSum >> MEAN_SHIFT;
  }

  /** It was empty, and a bio comes. What is longer than `most` counts as that. */
  thoughtUntil(now: Jiffies, most: Jiffies): void {
    const thought = Math.min(now - this.emptySince, most);
    this.#thinkSum += thought - (this.#thinkSum >> MEAN_SHIFT);
  }
}
