import { Mutex } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { assertNothingFound, FoundError } from "./assert-nothing-found.ts";
import { explore } from "./explore.ts";
import { defineScenario, type Scenario } from "./scenario.ts";

/** Two orders of two locks by two tasks, of which one starts when the other is done. */
const oneAfterTheOther: Scenario = defineScenario({
  name: "relay",
  summary: "an order that no schedule can hit",
  variants: { only: { expect: "ok", summary: "the only one" } },
  build(world) {
    const [a, b] = [new Mutex("A"), new Mutex("B")];
    const both = (name: string, [first, second]: [Mutex, Mutex], then: () => void): void => {
      world.spawn(name, async (task) => {
        await first.lock(task);
        await second.lock(task);
        second.unlock(task);
        first.unlock(task);
        then();
      });
    };
    both("alice", [a, b], () => {
      both("bob", [b, a], () => undefined);
    });
  },
});

describe("a potential that no schedule confirms", () => {
  it("lets a test pass, and is printed", async () => {
    const printed: string[] = [];
    const report = await explore(oneAfterTheOther, "only");
    expect(report.verdict).toBe("proved");
    assertNothingFound(report, { print: (text) => printed.push(text) });
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^relay:only\nPOTENTIAL .*mutex "A" then mutex "B" by alice/);
  });

  it("makes it fail where that is asked for", async () => {
    const report = await explore(oneAfterTheOther, "only");
    expect(() => {
      assertNothingFound(report, { potentials: "all" });
    }).toThrow(FoundError);
  });
});
