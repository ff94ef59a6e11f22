import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import { defineScenario } from "../scenario.ts";
import type { Trace } from "../trace.ts";
import { toChromeTrace } from "./chrome-trace.ts";
import { toDot } from "./dot.ts";
import { toLanes } from "./lanes.ts";
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

const STEP = { isPreemption: false, notes: [] };

/** A write that is submitted, ended by the disk, and seen to be over; and one that goes nowhere. */
const TRACE = {
  scenario: "s",
  variant: "v",
  steps: [
    { ...STEP, actor: "alice", what: "submit", moved: ["bio#7 WRITE sda [0..4)"] },
    { ...STEP, actor: "bob", what: "park", isPreemption: true, moved: ["bio#8 READ sda [0..4)"] },
    { ...STEP, actor: "bob", what: "wait", notes: ["sleeps, waiting for alice"] },
    { ...STEP, actor: 'irq#1 disk "sda"', what: "ends bio#7 WRITE sda [0..4)" },
    { ...STEP, actor: 'irq#2 disk "sda"', what: "interrupts" },
    { ...STEP, actor: "alice", what: "put bio#7" },
  ],
} as unknown as Trace;

describe("a run for Perfetto", () => {
  const { traceEvents } = toChromeTrace(TRACE);

  it("has a row for each task and each device, and a slice for each step", () => {
    expect(traceEvents.filter(({ name }) => name === "thread_name").map((e) => e.args)).toEqual([
      { name: "alice" },
      { name: "bob" },
      { name: 'disk "sda"' },
    ]);
    const slices = traceEvents.filter(({ ph }) => ph === "X");
    expect(slices.map(({ tid, ts, name }) => [tid, ts, name])).toEqual([
      [0, 0, "submit"],
      [1, 1000, "park"],
      [1, 2000, "wait"],
      [2, 3000, "ends bio#7 WRITE sda [0..4)"],
      [2, 4000, "interrupts"],
      [0, 5000, "put bio#7"],
    ]);
  });

  it("has a flow for each bio that moves: one id, begun, gone on and ended inside slices", () => {
    const flows = traceEvents.filter(({ cat }) => cat === "bio");
    expect(flows.map(({ ph, id, tid, ts, bp }) => [ph, id, tid, ts, bp])).toEqual([
      ["s", 7, 0, 500, undefined],
      ["t", 7, 2, 3500, undefined],
      ["f", 7, 0, 5500, "e"],
      ["s", 8, 1, 1500, undefined],
    ]);
  });
});

describe("a run as text", () => {
  it("has a column for each task and each device, and a line for each bio", () => {
    expect(toLanes(TRACE).split("\n")).toEqual([
      'step  alice      bob     disk "sda"',
      "   1  submit     |       |",
      "   2  |          ! park  |",
      "   3  |          wait ~  |",
      "   4  |          |       ends bio#7 WRITE sda [0..4)",
      "   5  |          |       interrupts",
      "   6  put bio#7  |       |",
      "",
      'bio#7  step 1 alice, step 4 disk "sda", step 6 alice',
      "bio#8  step 2 bob",
    ]);
  });

  it("cuts off what is too long for a column", () => {
    const long = { ...STEP, actor: "alice", what: "x".repeat(40) };
    const [, line] = toLanes({ ...TRACE, steps: [long] }).split("\n");
    expect(line).toBe(`   1  ${"x".repeat(31)}…`);
  });
});
