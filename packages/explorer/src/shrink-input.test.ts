import { describe, expect, it } from "vitest";
import { lostWakeup } from "../test/deadlock-models.ts";
import { model, type ModelOp, Op } from "../test/models.ts";
import { explore } from "./explore.ts";
import { replay } from "./replay.ts";
import { defineScenario } from "./scenario.ts";
import { parseTrace } from "./trace.ts";

/** Two who lock A and B the other way round, in each of some rounds, and two who only look on. */
const rounds = defineScenario({
  name: "rounds",
  summary: "a deadlock, and more of everything than it needs",
  variants: { only: { expect: "STALL", summary: "the only one" } },
  build(world) {
    const count = world.amount("rounds", 4);
    const model = { A: world.cell("A"), B: world.cell("B"), C: world.cell("C") };
    const spawn = (name: string, ops: readonly ModelOp[]): void => {
      world.spawn(
        name,
        async (task) => {
          for (const { access, guard, apply } of ops) {
            await world.step(task, access, guard);
            apply();
          }
        },
        { startsAtFirstStep: true },
      );
    };
    const both = (first: keyof typeof model, second: keyof typeof model): ModelOp[] =>
      Array.from({ length: count }, () => [
        Op.lock(model[first]),
        Op.lock(model[second]),
        Op.unlock(model[second]),
        Op.unlock(model[first]),
      ]).flat();
    spawn("onlooker", [Op.write(model.C, 1)]);
    spawn("left", both("A", "B"));
    spawn("right", both("B", "A"));
    spawn("onlooker", [Op.write(model.C, 2)]);
  },
});

describe("what a failure does not need is taken away", () => {
  it("tasks first, then parts of the amounts that the scenario names", async () => {
    const report = await explore(rounds, "only", { strategy: "random", seed: 3, after: "first" });
    expect(report.trace?.input).toEqual({
      without: ["onlooker#2", "onlooker"],
      amounts: { rounds: 1 },
    });
    expect(report.trace?.steps.map(({ actor }) => actor)).toEqual(["left", "right"]);
    expect(report.story).toContain(
      "not needed for it: onlooker#2, onlooker; rounds 1 instead of 4",
    );
  });

  it("and the trace repeats the run without it", async () => {
    const { trace, message } = await explore(rounds, "only", { strategy: "random", seed: 3 });
    const again = await replay(rounds, parseTrace(JSON.stringify(trace)));
    expect(again).toMatchObject({ isSame: true, report: { message } });
    expect(again.report.trace).toEqual(trace);
    const wrong = JSON.stringify({ ...trace, input: { without: 1 } });
    expect(() => parseTrace(wrong)).toThrow('a trace with a wrong "input"');
  });

  it("by name, in a line that somebody writes", async () => {
    const line = "rounds:only -onlooker -rounds=2 left right";
    const { report } = await replay(rounds, line);
    expect(report.trace?.input).toEqual({ without: ["onlooker"], amounts: { rounds: 2 } });
    expect(report.trace?.steps.map(({ actor }) => actor)).toEqual(["left", "right", "onlooker#2"]);
    expect(report.replayLine).toBe(line);
    const tooLittle = await replay(rounds, "rounds:only -rounds=0 left right");
    expect(tooLittle.report.story).toContain("rounds 1 instead of 4");
    await expect(async () => replay(rounds, "rounds:only -left*2")).rejects.toThrow(
      '"-left*2" should be -TASK or -AMOUNT=LESS',
    );
  });

  it("is told in the line where another failure comes of it otherwise", async () => {
    const stuck = model((m) => {
      const [a, b] = [m.cell("A"), m.cell("B")];
      m.task("p1", [Op.lock(a), Op.lock(a)]);
      m.task("p2", [Op.lock(b), Op.lock(b)]);
    });
    const { replayLine, message } = await explore(stuck, "model");
    expect(message).toBe("p1 cannot go on");
    expect(replayLine).toBe("model:model -p2 p1");
    expect((await replay(stuck, replayLine ?? "")).report.message).toBe(message);
  });

  it("but never the one whom the others wait for", async () => {
    const { trace, story } = await explore(model(lostWakeup), "model", { after: "first" });
    expect(trace?.input).toBeUndefined();
    expect(story).not.toContain("not needed");
  });
});
