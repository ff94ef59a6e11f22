import {
  endIo,
  endsOnce,
  data,
  operations,
  sendersMemory,
  statuses,
  staysInside,
} from "../rules/exercised.ts";
import { errors } from "../rules/errors.ts";
import { everyOrder, failingAllocations, poolOfOne, suspendInUse } from "../rules/explored.ts";
import { extents } from "../rules/extents.ts";
import { flush, flushesPassThrough, fua } from "../rules/flushes.ts";
import { leaks } from "../rules/leaks.ts";
import { limits } from "../rules/limits.ts";
import { noWait } from "../rules/no-wait.ts";
import { powerCut } from "../rules/power-cut.ts";
import { pushBack, suspend } from "../rules/suspend.ts";
import { complaintAboutRefusals, tableRoundTrip } from "../rules/tables.ts";
import { type RuleOfTables, ruleOf, subjectsOf } from "./checked-rule.ts";
import { BrokenRuleError, type Rule, RULE_NAMES } from "./rule.ts";
import type { SuiteOptions } from "./suite-options.ts";

const RULES: readonly RuleOfTables[] = [
  tableRoundTrip,
  limits,
  endIo,
  endsOnce,
  statuses,
  operations,
  data,
  sendersMemory,
  staysInside,
  extents,
  errors,
  flush,
  fua,
  flushesPassThrough,
  suspend,
  pushBack,
  noWait,
  leaks,
  everyOrder,
  failingAllocations,
  poolOfOne,
  suspendInUse,
  powerCut,
];

/** The rules that every target keeps, ready to be checked of this one; in order of `RULE_NAMES`. */
export function targetSuite(suite: SuiteOptions): readonly Rule[] {
  const subjects = subjectsOf(suite);
  const rules = [refusalsOf(suite), ...RULES.map((rule) => ruleOf(rule, suite, subjects))];
  return rules.sort((a, b) => RULE_NAMES.indexOf(a.name) - RULE_NAMES.indexOf(b.name));
}

/** Of the lines that are refused, not of those that are taken. */
function refusalsOf(suite: SuiteOptions): Rule {
  const exception = suite.claims?.except?.refusals ?? null;
  return {
    name: "refusals",
    says: "lines that are wrong are refused, with the words and the errno claimed, and leave nothing behind",
    exception,
    async check() {
      const complaint = await complaintAboutRefusals(suite);
      if (exception === null && complaint !== null)
        throw new BrokenRuleError("refusals", complaint);
      if (exception === null || complaint !== null) return;
      const claim = `claims an exception ("${exception}"), and keeps the rule`;
      throw new BrokenRuleError("refusals", claim);
    },
  };
}
