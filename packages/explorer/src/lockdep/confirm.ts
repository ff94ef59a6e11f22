import type { Access } from "@blkstack/task";
import { type Actor, ExploredTask } from "../actor.ts";
import type { Finding } from "../finding.ts";
import { type Strategy, Xorshift } from "../strategy.ts";
import type { Lockdep } from "./lockdep.ts";
import { NodeKind } from "./lock-nodes.ts";
import { keptBackBy } from "./parked-bios.ts";
import type { Suspicion } from "./potential.ts";

/**
 * Leads runs to where a suspicion would come true: whoever is about to close the circle is held
 * back until everybody else whom it takes has arrived, or cannot arrive; then all are let go. What
 * is left open is drawn, another way each run.
 */
export class Confirming implements Strategy {
  readonly name = "lockdep";
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly #lockdep: Lockdep;
  readonly #suspicion: Suspicion;
  readonly #random = new Xorshift(1);
  readonly #paused = new Set<Actor>();
  /** Those that were let go since nobody else could go on. */
  readonly #passed = new Set<Actor>();
  #runs = 0;

  constructor(suspicion: Suspicion, lockdep: Lockdep) {
    this.#suspicion = suspicion;
    this.#lockdep = lockdep;
  }

  beginRun(): boolean {
    this.#runs += 1;
    this.#paused.clear();
    this.#passed.clear();
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    this.#paused.clear();
    for (const actor of enabled) if (this.#closes(actor)) this.#paused.add(actor);
    if (this.#paused.size === 0 || this.#haveAllArrived()) {
      return this.#draw(enabled, (actor) => this.#paused.size === 0 || this.#paused.has(actor));
    }
    const isFree = (actor: Actor): boolean => !this.#paused.has(actor) || this.#passed.has(actor);
    if (enabled.some(isFree)) return this.#draw(enabled, isFree);
    const index = this.#draw(enabled, () => true);
    const released = enabled[index];
    if (released !== undefined) this.#passed.add(released);
    return index;
  }

  /** At first all goes well, then anything goes. */
  chooseOutcome(_what: string, count: number): number {
    return this.#runs % 2 === 1 ? 0 : this.#random.below(count);
  }

  stepTaken(actor: Actor): void {
    this.#passed.delete(actor);
  }

  #draw(enabled: readonly Actor[], mayRun: (actor: Actor) => boolean): number {
    const indices = [...enabled.keys()].filter((index) => {
      const actor = enabled[index];
      return actor !== undefined && mayRun(actor);
    });
    return indices[this.#random.below(indices.length)] ?? 0;
  }

  /** Whether the next step of the actor is one of those that make the circle. */
  #closes(actor: Actor): boolean {
    if (!(actor instanceof ExploredTask)) return false;
    const { cycle, second } = this.#suspicion;
    if (second !== null) return this.#asksAgain(actor, second.site);
    return cycle?.edges.some((_, index) => this.#isAt(actor, index)) ?? false;
  }

  #asksAgain(task: ExploredTask, site: string): boolean {
    const { object } = task.access;
    return object.label === site && this.#lockdep.reserves.whereFirst(object, task) !== null;
  }

  #isAt(task: ExploredTask, index: number): boolean {
    const { cycle } = this.#suspicion;
    const edge = cycle?.edges[index];
    if (edge === undefined) return false;
    const { nodes } = this.#lockdep;
    if (wantedClass(task.access, this.#lockdep) !== nodes.classOf(edge.to)) return false;
    if (nodes.kindOf(edge.from) === NodeKind.ParkedBio) {
      return keptBackBy(task).has(nodes.labelOf(edge.from));
    }
    return this.#lockdep.heldBy(task).holdsClass(nodes.classOf(edge.from), nodes);
  }

  /** Whether there is somebody else at each part of the circle. */
  #haveAllArrived(): boolean {
    const { cycle } = this.#suspicion;
    // What one task does twice over takes another that does the same.
    const actors = Math.max(2, cycle?.edges.length ?? 0);
    if (cycle === null || this.#paused.size < actors) return false;
    return cycle.edges.every((_, index) =>
      [...this.#paused].some((actor) => actor instanceof ExploredTask && this.#isAt(actor, index)),
    );
  }
}

/** Whether a schedule can be made for it: what interrupts do inside a call, none shows. */
export function canBeConfirmed({ rule, guard }: Suspicion): boolean {
  return guard === null && rule !== "interrupt";
}

/** Whether the failure is what was suspected. */
export function comesTrue(
  { cycle, second }: Suspicion,
  finding: Finding | null,
  { nodes }: Lockdep,
): boolean {
  if (finding?.kind !== "DEADLOCK") return false;
  if (second !== null) return finding.message.includes(second.site);
  const locks = (cycle?.edges ?? []).filter(({ from }) => nodes.kindOf(from) === NodeKind.Lock);
  return locks.every(({ from }) =>
    nodes.labelsOfClass(nodes.classOf(from)).some((label) => names(finding.message, label)),
  );
}

/** A knot tells of a lock by its short name. */
function names(message: string, label: string): boolean {
  return message.split(" -> ").includes(label);
}

/** The class of what the step takes; -1: it is no lock that was ever held over another. */
function wantedClass({ object }: Access, { nodes }: Lockdep): number {
  return nodes.classOfLabel(object.label);
}
