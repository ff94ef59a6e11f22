import type { Target, TargetContext } from "@blkstack/block";
import { describe, expect, it, vi } from "vitest";
import * as wrong from "../test/wrong-targets.ts";
import {
  BrokenRuleError,
  remaps,
  RULE_NAMES,
  type Rule,
  type RuleName,
  type SuiteOptions,
  targetSuite,
} from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

type TargetClass = new (context: TargetContext) => Target;

function suiteOf(kind: TargetClass, changes: Partial<SuiteOptions> = {}): SuiteOptions {
  return {
    target: wrong.typeOf((context) => new kind(context)),
    tables: [{ line: "probe a", model: remaps((sector) => ({ disk: "a", sector })) }],
    invalidTables: [{ line: "probe a b", says: "Invalid argument count" }],
    ...changes,
  };
}

function ruleOf(suite: SuiteOptions, name: RuleName): Rule {
  const rule = targetSuite(suite).find((each) => each.name === name);
  if (rule === undefined) throw new Error(`there is no rule ${name}`);
  return rule;
}

/** What the rule says to the target; null: nothing. */
async function complaintOf(suite: SuiteOptions, name: RuleName): Promise<string | null> {
  try {
    await ruleOf(suite, name).check();
    return null;
  } catch (error) {
    if (error instanceof BrokenRuleError) return error.message;
    throw error;
  }
}

it.each(RULE_NAMES)("a right target keeps the rule %s", async (name) => {
  expect(await complaintOf(suiteOf(wrong.Right), name)).toBeNull();
});

/** For each rule, a target that is wrong in that respect, and what is said of it. */
const WRONG: readonly (readonly [RuleName, TargetClass, string])[] = [
  ["table-round-trip", wrong.TellsNoDevice, 'should tell "probe 7:0", and tells "probe "'],
  ["limits", wrong.ClaimsSmallBlocks, "is not of whole blocks of 4096 bytes"],
  ["end-io", wrong.WaitsInEndIo, "answers a promise: it waits"],
  ["ends-once", wrong.LosesEveryFifth, "bio 5, READ 1+1: has not ended"],
  ["ends-once", wrong.EndsTwice, "is ended again after its end"],
  ["statuses", wrong.FailsReadsAhead, "READAHEAD: should end with OK, and ended with EIO"],
  ["operations", wrong.LetsDiscardsThrough, "is not claimed, so should end with EOPNOTSUPP"],
  ["data", wrong.ForgetsTheRest, "sector 8 should have what sector 8 of disk a had at first"],
  ["senders-memory", wrong.WritesIntoItsSender, "byte 0 of the sender's memory was changed"],
  ["stays-inside", wrong.LooksBehindItsEnd, "READ 1+32 of a came, which is outside"],
  [
    "extents",
    wrong.SeesZeroesEverywhere,
    "it says that 0+32 are zeroes, and byte 1 of them is not",
  ],
  [
    "errors",
    wrong.SwallowsErrors,
    "READ 0+8 while disk a fails with EIO: ended well, with other data",
  ],
  ["flush", wrong.FlushesNothing, "after a power cut behind flush, sector 0 should have"],
  ["fua", wrong.DropsFua, "after a power cut behind WRITE 0+1 FUA, sector 0 should have"],
  ["flushes-pass-through", wrong.SaysItPassesFlushes, "copy 0 is not just remapped"],
  ["suspend", wrong.HoldsThroughSuspends, "the suspend does not end"],
  ["suspend", wrong.WorksWhileSuspended, "a flush of a came while it was suspended"],
  ["push-back", wrong.GivesBackUnasked, "and nobody asked for it"],
  ["push-back", wrong.HoldsThroughSuspends, "the suspend does not end"],
  ["push-back", wrong.WorksWhileSuspended, "a flush of a came while it was suspended"],
  ["no-wait", wrong.WaitsForAnybody, "READ 8+1 NOWAIT: its sender sleeps on"],
  ["no-wait", wrong.PutsOffWhatIsDone, "afterwards sector 8 of what is read should have"],
  ["leaks", wrong.LeavesItsPool, "when it is removed, 1 pools are left"],
  ["every-order", wrong.SharesWhatItKnows, "WRONG: "],
  ["failing-allocations", wrong.FailsWithoutMemory, "ended with EIO, not with OK"],
  ["pool-of-one", wrong.TakesTwoOfOnePool, "DEADLOCK: "],
  ["suspend-in-use", wrong.DoesNotResume, "ended with EIO, not with OK"],
  ["power-cut", wrong.DropsFua, "LOST_WRITE: "],
  ["power-cut", wrong.FlushesNothing, "LOST_WRITE: "],
];

it.each(WRONG)("the rule %s is broken by a target that is one of %o", async (name, kind, words) => {
  const complaint = await complaintOf(suiteOf(kind), name);
  expect(complaint).toMatch(new RegExp(`^${name}: table "probe a": `));
  expect(complaint).toContain(words);
});

it("every rule but one has a target that breaks it; the one is about tables that it takes", async () => {
  const broken = new Set<RuleName>(WRONG.map(([name]) => name));
  expect(RULE_NAMES.filter((name) => !broken.has(name))).toEqual(["refusals"]);
  const invalidTables = [{ line: "probe a", says: "Invalid argument count" }];
  expect(await complaintOf(suiteOf(wrong.Right, { invalidTables }), "refusals")).toBe(
    'refusals: table "probe a": should be refused with "Invalid argument count", and is taken',
  );
});

it("a refusal in other words, or with another errno, is none", async () => {
  const invalidTables = [{ line: "probe none", says: "Device lookup failed" }];
  expect(await complaintOf(suiteOf(wrong.Right, { invalidTables }), "refusals")).toContain(
    'with EINVAL and "Device lookup failed"; is with ENODEV',
  );
});

describe("a pool that needs more than one element", () => {
  const pool = 'bio_set "probe"';

  it("is left as many as are claimed", async () => {
    const suite = suiteOf(wrong.TakesTwoOfOnePool, { claims: { reserves: { [pool]: 4 } } });
    expect(await complaintOf(suite, "pool-of-one")).toBeNull();
  });

  it("is not claimed where one is enough", async () => {
    const suite = suiteOf(wrong.WaitsForAnybody, { claims: { reserves: { [pool]: 4 } } });
    expect(await complaintOf(suite, "pool-of-one")).toContain(
      `claims that ${pool} needs more than one element, and does with one`,
    );
  });
});

describe("an exception", () => {
  it("that is claimed and is none breaks the rule", async () => {
    const suite = suiteOf(wrong.Right, { claims: { except: { flush: "a whim" } } });
    expect(ruleOf(suite, "flush").exception).toBe("a whim");
    expect(await complaintOf(suite, "flush")).toContain('("a whim"), and keeps the rule');
  });

  it("that is one is kept", async () => {
    const suite = suiteOf(wrong.DropsFua, { claims: { except: { fua: "no FUA here" } } });
    expect(await complaintOf(suite, "fua")).toBeNull();
  });

  it("of one line is none of the others", async () => {
    const model = remaps((sector) => ({ disk: "a", sector }));
    const tables = [
      { line: "probe a", model, except: { fua: "no FUA here" } },
      { line: "probe a", sizeSectors: 16, model },
    ];
    expect(await complaintOf(suiteOf(wrong.DropsFua, { tables }), "fua")).toContain("sector 0");
  });
});
