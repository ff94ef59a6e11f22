import type { Submitter } from "@blkstack/block";
import type { StatsAlloc } from "@blkstack/io-group";
import type { Memory, PerCpuAllocator } from "@blkstack/memory";
import type { Scheduler } from "@blkstack/task";
import type { Accounting } from "./accounting.ts";
import type { ChooseGroup } from "./choose-group.ts";
import type { Fairness } from "./dispatcher.ts";
import type { GroupLimits } from "./limits.ts";

export interface ThrottleOptions {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** Where bios go that have waited. */
  readonly submitter: Submitter;
  /** How many cpus count. Default: 1. */
  readonly cpus?: number;
  /** Where statistics come from, with a part for each cpu. Default: an allocator of its own. */
  readonly statsMemory?: PerCpuAllocator;
  /** Where statistics are allocated. Default: `correctAsync`. */
  readonly statsAlloc?: StatsAlloc;
  /** Which group a bio is charged to. Default: `ownGroupOrRoot`. */
  readonly chooseGroup?: ChooseGroup;
  /** When bios are counted. Default: `countsWhenCharged`. */
  readonly accounting?: Accounting;
  /**
   * `nested`: limits bind the groups below too. `flat`: each group for itself, as before 2013.
   * Default: nested.
   */
  readonly hierarchy?: "nested" | "flat";
  /**
   * In which order bios of one group go: as they came, or its tasks or ports in turn, so that one
   * with many bios does not keep the others waiting. Default: as they came.
   */
  readonly fairness?: Fairness;
  /**
   * What becomes of the part of an operation or byte that a slice allows: it is kept for the next
   * one, or dropped as kernels do, so that 10 go of 15 operations a second. Default: kept.
   */
  readonly fractions?: "kept" | "dropped";
}

export interface GroupOptions {
  readonly limits?: Partial<GroupLimits>;
  /** The group whose limits bind this one too; the root unless told. */
  readonly parent?: string;
  /** For how long allowances are kept that are not used: the depth of the bucket. Default: 0. */
  readonly burstMs?: number;
  /**
   * Whether the group, and those above it, get their statistics now, before anybody can submit to
   * it: then its totals are those of its users. Where there is no memory for them, and unless told,
   * they come with the first bio, which they do not count.
   */
  readonly isCountedFromStart?: boolean;
}
