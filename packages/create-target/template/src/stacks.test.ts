import { onRange, registerStacks, shifted, STACK_PARTS, type StackPart } from "@blkstack/stacks";
import fc from "fast-check";
import { describe, test } from "vitest";
import { exampleTarget } from "./example-target.ts";

/** How random stacks use the target, and what a line of it comes to: nothing of how it does that. */
const exampleTargetPart: StackPart = {
  name: exampleTarget.name,
  type: exampleTarget,
  takes: [],
  isSolid: true,
  lines: fc.constant(onRange()),
  model(line) {
    const [device = "", start = ""] = line.words;
    return shifted(line.below(device), Number(start));
  },
};

const parts = [exampleTargetPart, ...STACK_PARTS];
registerStacks({ world: "real", seed: 1, stacks: 30, iosPerStack: 200, parts }, { describe, test });
registerStacks(
  { world: "explored", seed: 1, stacks: 10, iosPerStack: 9, parts },
  { describe, test },
);
