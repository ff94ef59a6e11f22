import type { Access } from "@blkstack/task";
import { type Actor, ExploredTask } from "./actor.ts";
import { Footprint } from "./footprint.ts";

/** One step of a recorded run. */
export interface RecordedStep {
  readonly actor: string;
  readonly what: string;
  /** Whether the task that ran before could have gone on. */
  readonly isPreemption: boolean;
  /** What else happened in the step: sleeps, warnings, frees. */
  readonly notes: string[];
  /** What lies elsewhere, or has appeared, since the step before. */
  moved?: readonly string[];
}

/** One choice among two or more. */
export type RecordedChoice =
  | { readonly actor: string; readonly among: readonly string[] }
  | { readonly what: string; readonly outcome: number };

/** What was asked for, what came of it, and what is to be told of each outcome. */
export interface Answer {
  readonly what: string;
  readonly outcome: number;
  readonly words: readonly string[] | null;
}

function textOf({ what, outcome, words }: Answer): string {
  if (words !== null) return words[outcome] ?? "";
  if (outcome === 0) return "";
  return `${what}: ${outcome === 1 ? "yes" : `outcome ${String(outcome)}`}`;
}

/** Writes down one run: what was chosen, and what happened. */
export class Recorder {
  readonly steps: RecordedStep[] = [];
  readonly choices: RecordedChoice[] = [];
  /** One for each step. */
  readonly footprints: Footprint[] = [];
  readonly #describe: (actor: Actor) => string;
  readonly #onSettled: (steps: number) => readonly string[];
  #isTimeMoved = false;
  #mark: { steps: number; choices: number; notes: number } | null = null;

  constructor(describe: (actor: Actor) => string, onSettled: (steps: number) => readonly string[]) {
    this.#describe = describe;
    this.#onSettled = onSettled;
  }

  get preemptions(): number {
    return this.steps.filter((step) => step.isPreemption).length;
  }

  step(actor: Actor, enabled: readonly Actor[], last: Actor | null): void {
    if (enabled.length > 1 && this.#mark === null) {
      this.choices.push({ actor: actor.name, among: enabled.map(({ name }) => name) });
    }
    // Before the first step nobody has run whom it could preempt.
    const couldGoOn = this.steps.length > 0 && last instanceof ExploredTask && enabled[0] === last;
    const isPreemption = couldGoOn && actor !== last;
    this.steps.push({ actor: actor.name, what: this.#describe(actor), isPreemption, notes: [] });
    const [byDefault = actor] = enabled;
    const insteadOf = byDefault === actor ? null : byDefault;
    this.footprints.push(new Footprint(actor, insteadOf, this.#isTimeMoved));
    this.#isTimeMoved = false;
  }

  outcome(answer: Answer): void {
    const { what, outcome } = answer;
    if (this.#mark === null) this.choices.push({ what, outcome });
    const text = textOf(answer);
    const footprint = this.footprints.at(-1);
    footprint?.outcomes.push(outcome);
    footprint?.answers.push(text);
    if (text !== "") this.note(text);
  }

  touched(access: Access): void {
    this.footprints.at(-1)?.uses.push(access);
    if (access.label !== "") this.note(access.label);
  }

  slept(sleeper: Actor, on: Access): void {
    const footprint = this.footprints.at(-1);
    if (footprint === undefined) return;
    footprint.uses.push(on);
    if (footprint.actor === sleeper) footprint.isLeftAsleep = true;
    this.note(`sleeps, waiting for ${on.object.label}`);
  }

  /** A task was woken or spawned, an interrupt raised. */
  setOff(actor: Actor): void {
    this.footprints.at(-1)?.setsOff.push(actor);
  }

  fired(timer: string): void {
    this.#isTimeMoved = true;
    this.note(timer);
  }

  note(text: string): void {
    this.steps.at(-1)?.notes.push(text);
  }

  /** Everybody stands still between two steps. */
  settled(): void {
    if (this.#mark !== null) return;
    const moved = this.#onSettled(this.steps.length);
    const last = this.steps.at(-1);
    if (last !== undefined && moved.length > 0) last.moved = moved;
  }

  /** What follows may turn out not to belong to the story. */
  mark(): void {
    const notes = this.steps.at(-1)?.notes.length ?? 0;
    this.#mark = { steps: this.steps.length, choices: this.choices.length, notes };
  }

  forgetAfterMark(): void {
    if (this.#mark === null) return;
    this.steps.length = this.#mark.steps;
    this.footprints.length = this.#mark.steps;
    this.choices.length = this.#mark.choices;
    const last = this.steps.at(-1);
    if (last !== undefined) last.notes.length = this.#mark.notes;
    this.#mark = null;
  }

  keepAfterMark(): void {
    this.#mark = null;
  }
}
