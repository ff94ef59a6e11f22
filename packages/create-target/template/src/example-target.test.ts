import { TargetBench } from "@blkstack/conformance";
import { assertNothingFound, explore } from "@blkstack/explorer";
import { expect, it } from "vitest";
import { exampleTarget } from "./example-target.ts";
import { exampleTargetInUse } from "./scenarios.ts";

it("what passes is counted", async () => {
  const bench = new TargetBench({ types: [exampleTarget] });
  await bench.create("0 64 example-target a 8");
  await bench.write(0, 8, 7);
  expect(await bench.read(7, 1)).toEqual([7]);
  expect(bench.status()).toBe("1 1");
});

it("nobody waits for ever, whoever goes first", async () => {
  const report = await explore(exampleTargetInUse, "beside-a-suspend");
  assertNothingFound(report);
  expect(report.verdict).toBe("proved");
});
