import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Mutex } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { philosophers } from "../test/deadlock-models.ts";
import { model } from "../test/models.ts";
import { FoundError } from "./assert-nothing-found.ts";
import { explore } from "./explore.ts";
import { exploreTest, type MakeProgram } from "./explore-test.ts";
import { reportToJson } from "./report-json.ts";
import { replay } from "./replay.ts";
import type { Scenario } from "./scenario.ts";

/** Two tasks that take two locks, in the orders given. */
function twoLocks(aliceFirst: "A" | "B", bobFirst: "A" | "B"): MakeProgram {
  return () => {
    const [a, b] = [new Mutex("A"), new Mutex("B")];
    const taking = (first: Mutex, second: Mutex) => async (task: Parameters<Mutex["lock"]>[0]) => {
      await first.lock(task);
      await second.lock(task);
      second.unlock(task);
      first.unlock(task);
    };
    const inOrder = (first: "A" | "B") => (first === "A" ? taking(a, b) : taking(b, a));
    return { tasks: { alice: inOrder(aliceFirst), bob: inOrder(bobFirst) } };
  };
}

async function failureOf(test: (context?: { name: string }) => Promise<void>): Promise<FoundError> {
  const error: unknown = await test({ name: "two locks" }).catch((thrown: unknown) => thrown);
  if (error instanceof FoundError) return error;
  throw new Error("the test has not failed");
}

const phil3: Scenario = {
  ...model(philosophers(3)),
  variants: { model: { expect: "STALL", summary: "each takes the left fork first" } },
};

describe("a test that explores", () => {
  it("passes when no schedule fails", exploreTest(twoLocks("A", "A"), { require: "proof" }));

  it("passes when what the variant expects is found", exploreTest(phil3, "model"));

  it("fails with what is wrong, the line that repeats it, and then the story", async () => {
    const { message, report } = await failureOf(exploreTest(twoLocks("A", "B")));
    const [what, line, empty, head] = message.split("\n");
    expect(what).toBe(`DEADLOCK: ${report.message}`);
    expect(what).toContain('alice -> mutex "B" -> bob -> mutex "A"');
    expect(line).toBe(`REPLAY="${String(report.replayLine)}"`);
    expect(line).toMatch(/^REPLAY="two-locks:test /);
    expect(empty).toBe("");
    expect(head).toContain("DEADLOCK  two-locks:test");
  });

  it("repeats the one run of its line instead, and leaves other lines to other tests", async () => {
    const { report } = await failureOf(exploreTest(twoLocks("A", "B")));
    const line = report.replayLine ?? "";
    const again = await failureOf(exploreTest(twoLocks("A", "B"), { replay: line }));
    expect(again.report).toMatchObject({ strategy: "replay", runs: 1 });
    // Mended, the same line leads nowhere.
    await exploreTest(twoLocks("A", "A"), { replay: line })({ name: "two locks" });
    const other = { replay: "somebody-else:test alice" };
    expect((await failureOf(exploreTest(twoLocks("A", "B"), other))).report.runs).toBeGreaterThan(
      1,
    );
  });

  it("fails when the expected failure is not found, or another one is", async () => {
    const lenient = exploreTest(phil3, "model", { executions: 1 });
    expect((await failureOf(lenient)).message).toMatch(/^expected STALL, which was not found\n/);
    const variants = { model: { expect: "LEAK", summary: "wrong" } } as const;
    const other = await failureOf(exploreTest({ ...phil3, variants }, "model"));
    expect(other.message).toMatch(/^expected LEAK; found STALL: /);
  });

  it("passes when the budget ends with nothing found, unless a proof is required", async () => {
    await exploreTest(twoLocks("A", "A"), { executions: 2 })();
    const strict = exploreTest(twoLocks("A", "A"), { executions: 2, require: "proof" });
    expect((await failureOf(strict)).message).toMatch(/^expected a proof\nNOT FOUND /);
  });

  it("takes what its check throws for what is wrong", async () => {
    const test = exploreTest(() => ({
      tasks: { only: () => undefined },
      check() {
        throw new Error("1 of 2");
      },
    }));
    expect((await failureOf(test)).message).toMatch(/^WRONG: 1 of 2\n/);
  });

  it(
    "works in node's own runner, with REPLAY of the environment",
    { timeout: 60_000 },
    async () => {
      const whole = await nodeTest({});
      expect(whole).toContain("ok 1 - a lock keeps both updates");
      expect(whole).toContain("not ok 2 - without one an update is lost");
      expect(whole).toContain("WRONG: 1 of 2");
      const [, line = ""] = /REPLAY="([^"]+)"/.exec(whole.replaceAll('\\"', '"')) ?? [];
      expect(line).toMatch(/^without-one-an-update-is-lost:test /);
      const again = await nodeTest({ REPLAY: line });
      expect(again).toContain("ok 1 - a lock keeps both updates");
      expect(again).toContain("found in run 1 of 1");
    },
  );
});

describe("a report as JSON", () => {
  it("says what it is, and has all that the report has, with a trace that can be repeated", async () => {
    const report = await explore(phil3, "model", { coverage: true });
    const json = reportToJson(report);
    const read = JSON.parse(JSON.stringify(json)) as typeof json;
    expect(read).toEqual(json);
    expect(read).toMatchObject({ format: "blkstack-report", version: 1, verdict: "found" });
    expect(read.granularity).toBe("announced steps");
    if (read.trace === null) throw new Error("no trace");
    expect((await replay(phil3, read.trace)).isSame).toBe(true);
  });
});

/** What node's runner prints for the tests of a file. */
function nodeTest(env: Readonly<Record<string, string>>): Promise<string> {
  const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const loader = new URL("../test/typescript-loader.mjs", import.meta.url).href;
  const argv = ["--conditions=@blkstack/source", "--import", loader, "--test-reporter=tap"];
  return new Promise((resolve) => {
    const all = { PATH: process.env["PATH"], ...env };
    const path = file("../test/runners/lost-update.ts");
    execFile(process.execPath, [...argv, path], { env: all }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}
