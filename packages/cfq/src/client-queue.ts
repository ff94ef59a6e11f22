import { BioList } from "@blkstack/bio";
import type { CfqGroup } from "./cfq-group.ts";

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
  /** Owned by its group. */
  nextInGroup: ClientQueue | null = null;

  constructor(label: string, isSync: boolean, priority: number, group: CfqGroup | null) {
    this.label = label;
    this.isSync = isSync;
    this.priority = priority;
    this.group = group;
  }
}
