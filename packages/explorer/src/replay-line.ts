import { type Input, WHOLE } from "./input.ts";
import {
  conditionsOf,
  type GivenConditions,
  readConditionWord,
  wordsOfConditions,
} from "./conditions.ts";
import type { CutPoint } from "./crash/crash-ledger.ts";
import type { Footprint } from "./footprint.ts";
import type { RecordedRun, RunPlan } from "./run.ts";
import { variantOf } from "./scenario.ts";
import { wordOf } from "./word-of.ts";

/** Steps that one actor takes in a row; the answers are those that its last step gets. */
export interface Stretch {
  readonly actor: string;
  readonly steps: number;
  readonly answers: readonly number[];
}

/** A schedule by name: `bioset-split:no-rescuer submitter-1*2`. */
export interface ReplayLine {
  readonly scenario: string;
  readonly variant: string;
  /** The tasks and amounts that are taken away first. */
  readonly input: Input;
  /** What is other than the variant says. */
  readonly conditions: GivenConditions;
  /** Where the power is cut, and what has landed; null: nowhere. */
  readonly cut: CutPoint | null;
  readonly stretches: readonly Stretch[];
}

/** Thrown when a text is no replay line. */
export class ReplayLineError extends Error {
  override readonly name = "ReplayLineError";
}

const FIRST_WORD = /^([^\s:]+):([^\s:]+)$/;
const TAKEN_AWAY = /^-([^\s*=]+)(?:=(\d+))?$/;
const CUT = /^@cut=(\d+):([0-9a-z]*)$/;
const STRETCH = /^([^\s*=+-][^\s*=]*)(?:\*([1-9]\d*))?(?:=(\d+(?:,\d+)*))?$/;

/** The line that repeats a recorded run, up to where the rest goes by itself. */
export function replayLineOf(plan: RunPlan, { recorder, input, outcome }: RecordedRun): string {
  const { scenario, variant } = plan;
  const { cut } = outcome;
  const stretches = stretchesOf(decided(recorder.footprints));
  return formatReplayLine(plan, { scenario: scenario.name, variant, input, stretches, cut });
}

/** As `replayLineOf`, with nothing taken away and every step told. */
export function fullReplayLineOf(plan: RunPlan, recorded: RecordedRun): string {
  const { scenario, variant } = plan;
  const { recorder, input, outcome } = recorded;
  const { cut } = outcome;
  const stretches = stretchesOf(recorder.footprints);
  return formatReplayLine(plan, { scenario: scenario.name, variant, input, stretches, cut });
}

/** The steps up to the last that was chosen; without any, those that the first actor takes. */
function decided(footprints: readonly Footprint[]): readonly Footprint[] {
  const last = footprints.findLastIndex(
    ({ insteadOf, outcomes }) => insteadOf !== null || outcomes.some((answer) => answer > 0),
  );
  if (last >= 0) return footprints.slice(0, last + 1);
  const first = footprints[0]?.actor;
  const others = footprints.findIndex(({ actor }) => actor !== first);
  return others < 0 ? footprints : footprints.slice(0, others);
}

/** The steps of a run, those of one actor in a row put together. */
export function stretchesOf(footprints: readonly Footprint[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const { actor, outcomes } of footprints) {
    const word = wordOf(actor);
    const answers = outcomes.slice(0, outcomes.findLastIndex((answer) => answer > 0) + 1);
    const last = stretches.at(-1);
    if (last?.actor === word && last.answers.length === 0) {
      stretches[stretches.length - 1] = { actor: word, steps: last.steps + 1, answers };
    } else stretches.push({ actor: word, steps: 1, answers });
  }
  return stretches;
}

/**
 * `SCENARIO:VARIANT`, then one word for each condition that is not the variant's own, such as
 * `+alloc-fail=1`, one for each thing taken away, `-TASK` or `-AMOUNT=LESS`, and one
 * for each stretch: `NAME*STEPS`, `NAME*STEPS=ANSWER,ANSWER`; `@cut=STEP:VERSIONS`, where the power
 * is cut and which version of each loose sector is there.
 */
function formatReplayLine(
  plan: RunPlan,
  { scenario, variant, input, stretches, cut }: Omit<ReplayLine, "conditions">,
): string {
  const usual = conditionsOf(variantOf(plan.scenario, variant));
  const conditions = wordsOfConditions(plan.conditions ?? usual, usual);
  const tasks = input.without.map((name) => `-${name}`);
  const amounts = Object.entries(input.amounts).map(
    ([name, less]) => `-${wordOf({ name })}=${String(less)}`,
  );
  const words = stretches.map(({ actor, steps, answers }) => {
    const times = steps === 1 ? "" : `*${String(steps)}`;
    return `${actor}${times}${answers.length === 0 ? "" : `=${answers.join(",")}`}`;
  });
  const cuts = cut === null ? [] : [`@cut=${String(cut.step)}:${cut.digits}`];
  const head = [`${scenario}:${variant}`, ...conditions, ...tasks, ...amounts];
  return [...head, ...words, ...cuts].join(" ");
}

/** Whether a text is meant as a replay line, and not as the name of a file. */
export function looksLikeReplayLine(text: string): boolean {
  const [first = ""] = text.trim().split(/\s+/);
  return FIRST_WORD.test(first);
}

/** Reads a replay line. Throws a ReplayLineError that names the word that is wrong. */
export function parseReplayLine(text: string): ReplayLine {
  const [first = "", ...words] = text.trim().split(/\s+/);
  const [, scenario, variant] = FIRST_WORD.exec(first) ?? [];
  if (scenario === undefined || variant === undefined) {
    throw new ReplayLineError(`"${first}" should be SCENARIO:VARIANT`);
  }
  const away = words.filter((word) => word.startsWith("-"));
  const rest = words.filter((word) => !/^[-+@]/.test(word));
  const conditions = parseConditions(words.filter((word) => word.startsWith("+")));
  const input = parseInput(away);
  const cut = parseCut(words.filter((word) => word.startsWith("@")));
  return { scenario, variant, conditions, input, cut, stretches: rest.map(parseStretch) };
}

function parseCut([word, ...more]: readonly string[]): CutPoint | null {
  if (word === undefined) return null;
  const [, step, digits] = CUT.exec(word) ?? [];
  if (step === undefined || digits === undefined || more.length > 0) {
    throw new ReplayLineError(`"${more[0] ?? word}" should be one @cut=STEP:VERSIONS`);
  }
  return { step: Number(step), digits };
}

function parseConditions(words: readonly string[]): GivenConditions {
  let conditions: GivenConditions = {};
  for (const word of words) {
    const read = readConditionWord(word, conditions);
    if (read === null) {
      throw new ReplayLineError(`"${word}" should be +alloc-fail=N, +io-error=N or +timers=MODEL`);
    }
    conditions = read;
  }
  return conditions;
}

function parseInput(words: readonly string[]): Input {
  if (words.length === 0) return WHOLE;
  const without: string[] = [];
  const amounts: Record<string, number> = {};
  for (const word of words) {
    const [, name, less] = TAKEN_AWAY.exec(word) ?? [];
    if (name === undefined) throw new ReplayLineError(`"${word}" should be -TASK or -AMOUNT=LESS`);
    if (less === undefined) without.push(name);
    else amounts[name] = Number(less);
  }
  return { without, amounts };
}

function parseStretch(word: string): Stretch {
  const [, actor, steps = "1", answers = ""] = STRETCH.exec(word) ?? [];
  if (actor === undefined) {
    throw new ReplayLineError(`"${word}" should be NAME, NAME*STEPS or NAME*STEPS=ANSWERS`);
  }
  const given = answers === "" ? [] : answers.split(",").map(Number);
  return { actor, steps: Number(steps), answers: given };
}
