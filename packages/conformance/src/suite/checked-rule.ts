import { type Exercise, exercise } from "./exercise.ts";
import { BrokenRuleError, errorText, type Rule, type RuleName } from "./rule.ts";
import type { Subject } from "./suite-rig.ts";
import type { SuiteOptions } from "./suite-options.ts";

const SCHEDULES = 24;

/** A rule before it is about a target: how one of its table lines is checked. */
export interface RuleOfTables {
  readonly name: RuleName;
  readonly says: string;
  /** Whether it runs schedules, and so only some of all there are. Default: false. */
  readonly isExplored?: boolean;
  /**
   * Answers what is wrong; null: nothing. Throws nothing but what making the device throws. A rule
   * that found nothing to look at says so with `nothingSeen`.
   */
  readonly check: (subject: ExercisedSubject) => Promise<string | null>;
}

/** A subject, with what came of asking everything of it. */
export interface ExercisedSubject extends Subject {
  /** Alone in its table, and behind another line, unless it must be alone. Made once for all rules. */
  exercises(): Promise<readonly Exercise[]>;
}

/** Of a target of which the rule cannot tell whether it keeps it. */
export function nothingSeen(what: string): string {
  return `nothing to be seen: ${what}; claim an exception if that is as it should be`;
}

/** How many schedules each explored rule runs of each line. */
export function schedulesOf({ schedules = SCHEDULES }: SuiteOptions): number {
  return schedules;
}

export function subjectsOf(suite: SuiteOptions): readonly ExercisedSubject[] {
  return suite.tables.map((table) => {
    const subject = { suite, table };
    let made: Promise<readonly Exercise[]> | null = null;
    return { ...subject, exercises: () => (made ??= makeExercises(subject)) };
  });
}

async function makeExercises(subject: Subject): Promise<readonly Exercise[]> {
  const alone = await exercise({ subject });
  if (subject.suite.target.isSingleton === true) return [alone];
  return [alone, await exercise({ subject, isBehind: true })];
}

/** The rule of all lines of a suite. */
export function ruleOf(
  { name, says, check, isExplored = false }: RuleOfTables,
  suite: SuiteOptions,
  subjects: readonly ExercisedSubject[],
): Rule {
  const exception = suite.claims?.except?.[name] ?? null;
  return {
    name,
    says: isExplored ? `${says} (${String(schedulesOf(suite))} schedules of each line)` : says,
    exception,
    async check() {
      for (const subject of subjects) {
        const { table } = subject;
        const reason = exception ?? table.except?.[name] ?? null;
        const complaint = await complaintAbout(subject, check);
        const line = `table "${table.line}"`;
        if (reason === null && complaint !== null) {
          throw new BrokenRuleError(name, `${line}: ${complaint.text}`, complaint.options);
        }
        if (reason !== null && complaint === null) {
          const claim = `claims an exception ("${reason}"), and keeps the rule`;
          throw new BrokenRuleError(name, `${line}: ${claim}`);
        }
      }
    },
  };
}

interface Complaint {
  readonly text: string;
  readonly options?: ErrorOptions;
}

async function complaintAbout(
  subject: ExercisedSubject,
  check: RuleOfTables["check"],
): Promise<Complaint | null> {
  try {
    const text = await check(subject);
    return text === null ? null : { text };
  } catch (cause) {
    return { text: `throws: ${errorText(cause)}`, options: { cause } };
  }
}
