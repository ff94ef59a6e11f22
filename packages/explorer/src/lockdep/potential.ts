import type { LockCycle } from "./lock-cycles.ts";
import { type LockNodes, NodeKind } from "./lock-nodes.ts";
import type { OrderEdge, Place } from "./lock-order.ts";
import type { SecondElement } from "./reserves.ts";

/** Which rule was broken. */
export type PotentialRule =
  /** Locks were taken in a circle of orders. */
  | "lock order"
  /** An interrupt's handler takes what is held where the interrupt is raised. */
  | "interrupt"
  /** Memory is asked for where its reclaim would need what is held. */
  | "reclaim"
  /** A lock was waited for with a bio parked that who holds the lock may wait for. */
  | "parked bio"
  /** A second element of a reserve was asked for while the first could not come back. */
  | "second element";

/** Something that went well in every run where it was seen, and by its rule need not have. */
export interface Potential {
  readonly rule: PotentialRule;
  readonly message: string;
  readonly places: readonly Place[];
  /**
   * "confirmed": some schedule fails so. "unconfirmed": none of those tried on purpose does.
   * "unreachable": all schedules of the scenario were run, and none does. "guarded": none can, for
   * two of the tasks that it takes both hold `guard`.
   */
  readonly status: "confirmed" | "unconfirmed" | "unreachable" | "guarded";
  /** Runs that were made on purpose to confirm it. */
  readonly runs: number;
  readonly guard: string | null;
  /** A failing run, for `replay`; null: none, or the one that the report shows. */
  readonly replayLine: string | null;
}

/** A potential that nobody has judged. */
export interface Suspicion {
  /** Equal for what is the same to people. */
  readonly key: string;
  readonly rule: PotentialRule;
  readonly message: string;
  readonly places: readonly Place[];
  readonly guard: string | null;
  readonly cycle: LockCycle | null;
  readonly second: SecondElement | null;
}

export function suspicionOfCycle(cycle: LockCycle, nodes: LockNodes): Suspicion {
  const { edges, guard } = cycle;
  const kinds = edges.map(({ from }) => nodes.kindOf(from));
  let rule: PotentialRule = "lock order";
  if (kinds.includes(NodeKind.Reclaim)) rule = "reclaim";
  else if (kinds.includes(NodeKind.Interrupt)) rule = "interrupt";
  else if (kinds.includes(NodeKind.ParkedBio)) rule = "parked bio";
  const places = distinctPlaces(edges);
  const message = edges.map((edge, index) => edgeText(edge, places[index], nodes)).join("; ");
  const key = `${rule}: ${cycle.key}`;
  // A place that no run has seen is true of all.
  const seen = places.filter(({ run }) => run > 0);
  return { key, rule, message, places: seen, guard, cycle, second: null };
}

export function suspicionOfSecond(second: SecondElement): Suspicion {
  const { site, whereFirst, place } = second;
  const rule = "second element";
  const message = `${place.actor} asks ${site} for a second element while its first is ${whereFirst}`;
  return {
    key: `${rule}: ${site}`,
    rule,
    message,
    places: [place],
    guard: null,
    cycle: null,
    second,
  };
}

/** `mutex "A" then mutex "B" by alice`. */
function edgeText({ from, to }: OrderEdge, place: Place | undefined, nodes: LockNodes): string {
  return `${nodes.labelOf(from)} then ${nodes.labelOf(to)} by ${place?.actor ?? "somebody"}`;
}

/** A place for each edge, by different tasks as far as there are such. */
function distinctPlaces(edges: readonly OrderEdge[]): readonly Place[] {
  const taken = new Set<string>();
  return edges.flatMap(({ places }) => {
    const place = places.find(({ actor }) => !taken.has(actor)) ?? places[0];
    if (place === undefined) return [];
    taken.add(place.actor);
    return [place];
  });
}
