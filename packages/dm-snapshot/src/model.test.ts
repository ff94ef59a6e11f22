import fc from "fast-check";
import { describe, it } from "vitest";
import { histories } from "../test/history.ts";
import { playHistory } from "../test/play-history.ts";

const TIMEOUT_MS = 60_000;

describe("whatever happens at the same time, each device shows what it must", () => {
  it.each([
    { what: "bios only", kinds: [] },
    { what: "suspends and reloads", kinds: ["suspend", "reload"] },
    { what: "snapshots that come and go", kinds: ["create", "remove", "reopen"] },
    { what: "merges", kinds: ["merge", "suspend"] },
    { what: "all of it", kinds: ["create", "suspend", "reload", "reopen", "remove", "merge"] },
  ] as const)(
    "$what",
    async ({ kinds }) => {
      await fc.assert(fc.asyncProperty(histories(kinds), playHistory), { numRuns: 500 });
    },
    TIMEOUT_MS,
  );
});
