import { explore, replay, parseTrace, type Scenario } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { scenarios } from "./index.ts";
import { isCell } from "./verdicts/matrix.ts";

const SLOW_MS = 240_000;

function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new RangeError(`no scenario ${name}`);
  return found;
}

// The power is cut in more schedules than there is time for: it is explored beside its own code.
const provable = scenarios.filter(({ name }) => name !== "power-cut");

// Those of the table of verdicts are explored where it is computed.
const explored = provable
  .map((scenario) => {
    const variants = Object.entries(scenario.variants);
    return { scenario, variants: variants.filter(([variant]) => !isCell(scenario, variant)) };
  })
  .filter(({ variants }) => variants.length > 0);

describe.each(
  explored.map(({ scenario, variants }) => [scenario.name, scenario, variants] as const),
)("%s", (_name, scenario, variants) => {
  const wrong = variants.filter(([, { expect: kind }]) => kind !== "ok");
  const right = variants.filter(([, { expect: kind }]) => kind === "ok");

  it.each(wrong)(
    "%s comes to what it is said to",
    { timeout: SLOW_MS },
    async (variant, { expect: kind }) => {
      const report = await explore(scenario, variant);
      expect(report).toMatchObject({ verdict: "found", kind });
      const { trace } = report;
      if (trace === null) throw new Error("found, and no trace");
      const replayed = await replay(scenario, parseTrace(JSON.stringify(trace)));
      expect(replayed).toMatchObject({ isSame: true, report: { kind, message: report.message } });
    },
  );

  it.each(right)("%s is proved", { timeout: SLOW_MS }, async (variant) => {
    const report = await explore(scenario, variant);
    expect(report).toMatchObject({ verdict: "proved", isComplete: true, healedRuns: 0 });
    expect(report.runs).toBeGreaterThan(0);
    expect(report.story).toContain(`proved: ${String(report.runs)} run`);
  });
});

describe("bioset-split", () => {
  const story = scenarioNamed("bioset-split");

  it("names the bio that is parked on the list of the very task that waits", async () => {
    const { story: text } = await explore(story, "no-rescuer");
    expect(text).toContain('submitter-1 waits for a bio of bio_set "md0-split"');
    expect(text).toContain("parked on submitter-1's own bio_list[0]");
    expect(text).toContain("No schedule fails in fewer steps.");
  });

  it("is suspected in its first run: a second bio while the first is parked", async () => {
    const report = await explore(story, "no-rescuer");
    expect(report.potentials).toMatchObject([
      { rule: "second element", status: "confirmed", places: [{ actor: "submitter-1", run: 1 }] },
    ]);
    expect(report.potentials[0]?.message).toContain("parked on submitter-1's own bio_list[0]");
  });

  it("is not suspected where a rescuer takes what is parked before anybody waits", async () => {
    expect((await explore(story, "rescuer")).potentials).toEqual([]);
  });

  it("is suspected, and cannot be, where drivers of one set stand upon each other and both lists are rescued", async () => {
    const { verdict, potentials } = await explore(story, "both-lists");
    expect(verdict).toBe("proved");
    expect(potentials).toMatchObject([{ rule: "second element", status: "unreachable" }]);
  });

  it("says what a retry timer hides, and when a kernel would have warned", async () => {
    const { story: text } = await explore(story, "retry-timer");
    expect(text).toContain("knot: submitter-1 -> md0-split -> ");
    expect(text).toContain(
      "hidden by a retry timer: submitter-1 asks again every 5 s, in vain; a kernel would call it hung at 120 s",
    );
  });

  it.each(["rescuer", "vecs-rescuer", "both-lists", "rescuer-first"])(
    "%s is proved alike with equal states merged and without",
    async (variant) => {
      const all = await explore(story, variant, { dedupe: "none" });
      const merged = await explore(story, variant, { dedupe: "states" });
      expect([all.verdict, merged.verdict]).toEqual(["proved", "proved"]);
      expect(merged.runs).toBeLessThan(all.runs);
    },
  );

  it.each(["queues-before-appending", "pools-first", "vecs-leak", "punt-everything"])(
    "%s is found with equal states merged and without",
    { timeout: SLOW_MS },
    async (variant) => {
      const options = { after: "first" } as const;
      const all = await explore(story, variant, { ...options, dedupe: "none" });
      const merged = await explore(story, variant, { ...options, dedupe: "states" });
      expect(all.verdict).toBe("found");
      expect(merged.kind).toBe(all.kind);
    },
  );

  it("random walks find the deadlock of two tasks too", async () => {
    const report = await explore(story, "two-tasks-no-rescuer", { strategy: "random", seed: 7 });
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK", isComplete: false });
  });
});

describe("a deadlock over bios that are parked", () => {
  it("is missed by who looks at tasks and locks alone (M6)", async () => {
    const report = await explore(scenarioNamed("origin-in-the-tree"), "loop-none", {
      after: "first",
    });
    const { nodes, edges } = report.waits ?? { nodes: [], edges: [] };
    const seen = nodes.filter(({ kind, name }) => kind === "task" || /^(mutex|rwsem) /.test(name));
    const ids = new Set(seen.map(({ id }) => id));
    const seenEdges = edges.filter(({ from, to }) => ids.has(from) && ids.has(to));
    expect(report.kind).toBe("DEADLOCK");
    expect(hasCircle(edges)).toBe(true);
    expect(seenEdges.length).toBeGreaterThan(2);
    expect(hasCircle(seenEdges)).toBe(false);
  });
});

/** Whether something is left when, again and again, all that waits for nothing is taken away. */
function hasCircle(edges: readonly { readonly from: string; readonly to: string }[]): boolean {
  const waiting = edges.filter(({ to }) => edges.some(({ from }) => from === to));
  return waiting.length < edges.length ? hasCircle(waiting) : edges.length > 0;
}
