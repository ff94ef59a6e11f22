import { TargetBench } from "@blkstack/conformance";
import { expect, it } from "vitest";
import { exampleTarget } from "./example-target.ts";

it("what passes is counted", async () => {
  const bench = new TargetBench({ types: [exampleTarget] });
  await bench.create("0 64 example-target a 8");
  await bench.write(0, 8, 7);
  expect(await bench.read(7, 1)).toEqual([7]);
  expect(bench.status()).toBe("1 1");
});
