import { Bio } from "@blkstack/bio";
import { type Access, AccessMode } from "@blkstack/task";
import { type Actor, ExploredTask } from "./actor.ts";
import { Cell } from "./cell.ts";

/** Uses of shared objects as numbers, four to an object: its id times four, and the mode. */
export type Uses = readonly number[];

const MODES = 4;

/** Whether two uses of one object may change places. Uses of different objects always may. */
export type Commute = (one: AccessMode, other: AccessMode) => boolean;

/** Two reads commute, and two that give back to a counted resource. */
export const bothReadOrBothGive: Commute = (one, other) =>
  one === other && (one === AccessMode.Read || one === AccessMode.Release);

/** Whether one of two steps must stay behind the other for something that both use. */
export function conflict(one: Uses, other: Uses, commute: Commute): boolean {
  for (const use of one) {
    for (const against of other) {
      if (use >> 2 !== against >> 2) continue;
      if (!commute((use % MODES) as AccessMode, (against % MODES) as AccessMode)) return true;
    }
  }
  return false;
}

/**
 * Numbers shared objects so that a number means the same in every run: by label, since each run
 * builds its objects afresh. Objects of one label are taken for one, which only costs reduction.
 */
export class ObjectNumbers {
  readonly #byLabel = new Map<string, number>();

  /** The labels, in the order of their numbers. */
  save(): readonly string[] {
    return [...this.#byLabel.keys()];
  }

  restore(labels: readonly string[]): void {
    this.#byLabel.clear();
    for (const [number, label] of labels.entries()) this.#byLabel.set(label, number);
  }

  add(access: Access, uses: number[]): void {
    const { object } = access;
    let { mode } = access;
    // That two gives commute is sure of a number only. Elsewhere the first of them may wake a
    // sleeper, start a worker or be one short of the last piece of a bio.
    if (mode === AccessMode.Release && !(object instanceof Cell)) mode = AccessMode.Write;
    this.#use(object.label, mode, uses);
  }

  /** The end of a piece counts down every bio above it, of which no access tells. */
  addBiosAbove(actor: Actor, uses: number[]): void {
    if (actor instanceof ExploredTask || !(actor.work instanceof Bio)) return;
    for (let bio = actor.work.parent; bio !== null; bio = bio.parent) {
      // Not its range, which changes on its way; bios of the same label are taken for one.
      const label = `the end of bio#${String(bio.serial)} of ${bio.pool?.label ?? "nobody"}`;
      this.#use(label, AccessMode.Write, uses);
    }
  }

  /** Timers of one moment fire in the order in which they were armed. */
  addTimer(atMs: number, uses: number[]): void {
    this.#use(`timers at ${String(atMs)} ms`, AccessMode.Write, uses);
  }

  /** Who asks for outcomes of one name shares whatever answers. */
  addOutcome(what: string, uses: number[]): void {
    this.#use(`outcome of ${what}`, AccessMode.Write, uses);
  }

  #use(label: string, mode: AccessMode, uses: number[]): void {
    let number = this.#byLabel.get(label);
    if (number === undefined) {
      number = this.#byLabel.size;
      this.#byLabel.set(label, number);
    }
    const use = number * MODES + mode;
    if (!uses.includes(use)) uses.push(use);
  }
}
