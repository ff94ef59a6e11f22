import { describe, expect, it } from "vitest";
import { exploreParallel, type ParallelOptions } from "./explore-parallel.ts";
import { type ScenarioModule } from "./load-scenario.ts";

const module = new URL("../../test/parallel-scenarios.ts", import.meta.url);
const loader = new URL("../../test/typescript-loader.mjs", import.meta.url).href;
const execArgv = ["--conditions=@blkstack/source", "--import", loader];

function inWorkers(
  name: string,
  options: ParallelOptions = {},
): ReturnType<typeof exploreParallel> {
  const from: ScenarioModule = { module, name };
  return exploreParallel(from, "model", { workers: 1, execArgv, ...options });
}

describe("worker threads", { timeout: 60_000 }, () => {
  it("count together what one thread counts", async () => {
    const report = await inWorkers("phil(4)", {
      ...{ strategy: "dpor", after: "all", workers: 2 },
    });
    expect(report).toMatchObject({ schedules: 15, failingRuns: 1, isComplete: true });
  });

  it("stop once one of them has found a failure, which is told as always", async () => {
    const report = await inWorkers("phil(7)", { strategy: "random" });
    expect(report).toMatchObject({ verdict: "found", endedBy: "found", preemptions: 1 });
    expect(report.story).toContain('replay: blkstack replay "phil(7):model');
  });

  it("end with what they have counted when they are stopped", async () => {
    const stop = new AbortController();
    const report = await inWorkers("phil(7)", {
      after: "all",
      signal: stop.signal,
      onProgress: ({ parts, runs }) => {
        expect(parts?.total).toBeGreaterThan(2);
        if (runs > 0) stop.abort();
      },
    });
    expect(report).toMatchObject({ endedBy: "stopped", isComplete: false });
    expect(report.runs).toBeGreaterThan(0);
  });

  it("do not leave the search hanging when a thread ends, or a scenario cannot be built", async () => {
    await expect(inWorkers("leaving")).rejects.toThrow(
      "a worker failed: its thread ended with exit code 7",
    );
    await expect(inWorkers("broken")).rejects.toThrow("a worker failed: no disk here");
  });

  it("are not started for a scenario, a variant or a number that there is not", async () => {
    await expect(inWorkers("nobody")).rejects.toThrow(
      'exports no scenario "nobody"; it has: phil(4), phil(7), leaving, broken',
    );
    await expect(exploreParallel({ module, name: "phil(4)" }, "else")).rejects.toThrow(RangeError);
    await expect(inWorkers("phil(4)", { workers: 0 })).rejects.toThrow("0 workers");
  });
});
