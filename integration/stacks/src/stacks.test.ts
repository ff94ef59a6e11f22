import { describe, expect, it, test } from "vitest";
import { registerStacks, runStacks, STACK_PARTS } from "./index.ts";

// As many as take some seconds; `npm run -s stacks` takes more.
registerStacks({ world: "real", seed: 1, stacks: 50, iosPerStack: 200 }, { describe, test });
registerStacks({ world: "explored", seed: 1, stacks: 25, iosPerStack: 9 }, { describe, test });

describe("the stacks of the tests", () => {
  it("are of all targets, and repeat themselves", async () => {
    const options = { world: "real", seed: 1, stacks: 50, iosPerStack: 0 } as const;
    const sums = await runStacks(options);
    expect(Object.keys(sums.linesOf).sort()).toEqual(STACK_PARTS.map(({ name }) => name).sort());
    expect(await runStacks(options)).toEqual(sums);
    expect(sums.devices).toBeGreaterThan(2 * sums.stacks);
  });
});
