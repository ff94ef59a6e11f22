import { type Bio, BioOp } from "@blkstack/bio";
import { IoGroup, type IoGroupOptions } from "@blkstack/io-group";
import { HeldBios } from "./held-bios.ts";
import type { GroupLimits } from "./limits.ts";
import { Slice } from "./slice.ts";

/** One direction of a group. */
export class Lane {
  readonly slice: Slice = new Slice();
  readonly held: HeldBios = new HeldBios();
  /** Whether this group has a limit here, or, where limits nest, one above it. */
  isLimited = false;
}

/** A group at work: what it may do, and the bios that wait for that. */
export class ThrottleGroup extends IoGroup {
  readonly above: ThrottleGroup | null;
  readonly reads: Lane = new Lane();
  readonly writes: Lane = new Lane();
  /** When the first bio may go; counts only while bios wait. */
  dispatchMs = 0;
  /** Where in the heap it is; below 0: no bio waits. */
  heapIndex = -1;
  /** Among groups of one time the earlier comes first. */
  heapOrder = 0;
  /** Statistics are asked for once. */
  hasAskedForStats = false;

  constructor(options: IoGroupOptions, above: ThrottleGroup | null, dropsFractions: boolean) {
    super(options);
    this.above = above;
    this.reads.slice.dropsFractions = dropsFractions;
    this.writes.slice.dropsFractions = dropsFractions;
  }

  get heldCount(): number {
    return this.reads.held.count + this.writes.held.count;
  }

  laneOf(bio: Bio): Lane {
    return bio.op === BioOp.Read ? this.reads : this.writes;
  }

  setLimits(limits: GroupLimits, burstMs: number): void {
    setRates(this.reads.slice, limits.rbps, limits.riops, burstMs);
    setRates(this.writes.slice, limits.wbps, limits.wiops, burstMs);
  }

  /** `nests`: whether limits above it bind it. */
  findWhetherLimited(nests: boolean): void {
    const above = nests ? this.above : null;
    this.reads.isLimited = this.reads.slice.isLimited || above?.reads.isLimited === true;
    this.writes.isLimited = this.writes.slice.isLimited || above?.writes.isLimited === true;
  }
}

function setRates(slice: Slice, bps: number, iops: number, burstMs: number): void {
  slice.bps = bps;
  slice.iops = iops;
  slice.burstMs = burstMs;
}
