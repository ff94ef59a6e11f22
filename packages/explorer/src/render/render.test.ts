import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import { defineScenario } from "../scenario.ts";
import type { Trace } from "../trace.ts";
import { toChromeTrace } from "./chrome-trace.ts";
import { toDot } from "./dot.ts";
import { toMermaid } from "./mermaid.ts";
import type { WaitGraph } from "./wait-graph.ts";

const GRAPH: WaitGraph = {
  nodes: [
    { id: "n0", kind: "task", name: "alice", state: 'waits for "B"' },
    { id: "n1", kind: "thing", name: "bio#1", state: "" },
  ],
  edges: [
    { from: "n0", to: "n1", isInKnot: true },
    { from: "n1", to: "n0", isInKnot: false },
  ],
};

describe("a wait-for graph", () => {
  it("is drawn by Mermaid, with quotes and hashes as it wants them", () => {
    expect(toMermaid(GRAPH)).toBe(
      [
        "flowchart LR",
        '  n0(["alice<br>waits for #quot;B#quot;"])',
        '  n1["bio#35;1"]',
        "  n0 ==> n1",
        "  n1 --> n0",
      ].join("\n"),
    );
  });

  it("is drawn by Graphviz", () => {
    expect(toDot(GRAPH)).toBe(
      [
        "digraph waits {",
        "  rankdir=LR;",
        '  n0 [shape=ellipse, label="alice\\nwaits for \\"B\\""];',
        '  n1 [shape=box, label="bio#1"];',
        "  n0 -> n1 [style=bold];",
        "  n1 -> n0;",
        "}",
      ].join("\n"),
    );
  });

  it("is part of the report of a run in which somebody is stuck", async () => {
    const stuck = defineScenario({
      name: "stuck",
      summary: "one waits for ever",
      variants: { only: { expect: "STALL", summary: "the only one" } },
      build(world) {
        const never = { label: "godot", blockers: () => [] };
        world.spawn("waiter", async (task) => {
          await world.scheduler.sleep(task, never);
        });
      },
    });
    const { waits } = await explore(stuck, "only");
    expect(waits?.nodes.map(({ kind, name, state }) => [kind, name, state])).toEqual([
      ["task", "waiter", "waits for godot"],
      ["thing", "godot", ""],
    ]);
    expect(waits?.edges).toEqual([{ from: "n0", to: "n1", isInKnot: false }]);
  });
});

describe("a run for Perfetto", () => {
  it("has a row for each actor, a slice for each step, and a flow for each bio", () => {
    const step = { isPreemption: false, notes: [] };
    const trace = {
      scenario: "s",
      variant: "v",
      steps: [
        { ...step, actor: "alice", what: "submit", moved: ["bio#7 WRITE sda [0..4)"] },
        { ...step, actor: "irq#1", what: "ends bio#7 WRITE sda [0..4)" },
      ],
    } as unknown as Trace;
    const { traceEvents } = toChromeTrace(trace);
    const told = traceEvents.map(({ ph, tid, ts, id, name }) => ({ ph, tid, ts, id, name }));
    expect(told.filter(({ ph }) => ph === "X")).toEqual([
      { ph: "X", tid: 0, ts: 0, id: undefined, name: "submit" },
      { ph: "X", tid: 1, ts: 1000, id: undefined, name: "ends bio#7 WRITE sda [0..4)" },
    ]);
    expect(told.filter(({ ph }) => ph === "s" || ph === "t")).toEqual([
      { ph: "s", tid: 0, ts: 500, id: 7, name: "bio#7" },
      { ph: "t", tid: 1, ts: 1500, id: 7, name: "bio#7" },
    ]);
    expect(traceEvents.filter(({ name }) => name === "thread_name").map((e) => e.args)).toEqual([
      { name: "alice" },
      { name: "irq#1" },
    ]);
  });
});
