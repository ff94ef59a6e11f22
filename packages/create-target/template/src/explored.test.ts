import { assertNothingFound, explore } from "@blkstack/explorer";
import { expect, it } from "vitest";
import { exampleTargetInUse } from "./scenarios.ts";

it("nobody waits for ever, whoever goes first", async () => {
  const report = await explore(exampleTargetInUse, "beside-a-suspend");
  assertNothingFound(report);
  expect(report.verdict).toBe("proved");
});
