/** The rules, by name, in the order in which they are checked: what explains most comes first. */
export const RULE_NAMES = [
  "table-round-trip",
  "refusals",
  "limits",
  "end-io",
  "ends-once",
  "statuses",
  "operations",
  "data",
  "senders-memory",
  "stays-inside",
  "extents",
  "errors",
  "flush",
  "fua",
  "flushes-pass-through",
  "suspend",
  "push-back",
  "no-wait",
  "leaks",
  "every-order",
  "failing-allocations",
  "pool-of-one",
  "suspend-in-use",
  "power-cut",
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

/** One thing that every target must keep to, ready to be checked of one of them. */
export interface Rule {
  readonly name: RuleName;
  /** What the rule is, in a sentence. */
  readonly says: string;
  /** Why this target is an exception, on all its tables; null: it is none. */
  readonly exception: string | null;
  /**
   * Throws a `BrokenRuleError`: the target breaks the rule, the rule found nothing that it could
   * have looked at, or the target keeps a rule that it claims not to.
   */
  check(): Promise<void>;
}

/** What was thrown, for people. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : `something that is no Error: ${typeof error}`;
}

/** A target breaks a rule. The message: the rule, the table line, the bio, what was to be and what was. */
export class BrokenRuleError extends Error {
  override readonly name = "BrokenRuleError";
  readonly rule: RuleName;

  constructor(rule: RuleName, what: string, options?: ErrorOptions) {
    super(`${rule}: ${what}`, options);
    this.rule = rule;
  }
}
