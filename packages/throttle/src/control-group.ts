import type { GroupLookup } from "./choose-group.ts";
import type { GroupLimits } from "./limits.ts";
import type { ThrottleGroup } from "./throttle-group.ts";

/** A group as people know it: a name, a place and limits. */
export interface ControlGroup {
  readonly name: string;
  /** Null: directly below the root. */
  readonly parent: ControlGroup | null;
  /** How a bio gets to its group. */
  readonly lookup: GroupLookup<ThrottleGroup>;
  limits: GroupLimits;
  burstMs: number;
  /** What does its work; null until its first bio comes. */
  group: ThrottleGroup | null;
  /** Ports, and groups below. */
  userCount: number;
}
