import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { progressText } from "../src/progress-line.ts";
import { run, temporaryFolder } from "./cli.ts";

const search = ["explore", "bioset-split:two-tasks-rescuer", "--dedupe", "none"];

interface Counts {
  readonly runs: number;
  readonly schedules: number;
  readonly verdict: string;
  readonly endedBy: string;
}

function countsIn(stdout: string): Counts {
  const { runs, schedules, verdict, endedBy } = JSON.parse(stdout) as Counts;
  return { runs, schedules, verdict, endedBy };
}

it("a search that was interrupted is gone on with, and comes to the same counts", async () => {
  const cwd = await temporaryFolder();
  const whole = countsIn((await run([...search, "--executions", "60", "--json"])).stdout);
  const cut = [...search, "--executions", "25", "--checkpoint", "c.json", "--json"];
  expect(countsIn((await run(cut, { cwd })).stdout)).toMatchObject({
    runs: 25,
    endedBy: "executions",
    verdict: "not-found",
  });
  const rest = [...search, "--executions", "60", "--resume", "c.json", "--json"];
  expect(countsIn((await run(rest, { cwd })).stdout)).toEqual(whole);
});

it("a checkpoint that does not fit is told in one line", async () => {
  const cwd = await temporaryFolder();
  await run([...search, "--executions", "5", "--checkpoint", "c.json"], { cwd });
  const other = [...search, "--resume", "c.json", "--seed", "2"];
  expect(await run(other, { cwd })).toMatchObject({
    status: 2,
    stdout: "",
    stderr: "blkstack: c.json: a checkpoint of another search: seed 1, now 2\n",
  });
  await writeFile(join(cwd, "c.json"), "{}");
  const { stderr } = await run([...search, "--resume", "c.json"], { cwd });
  expect(stderr).toBe('blkstack: c.json: not a checkpoint: no "format"\n');
});

it.each([
  [["--workers", "2", "--strategy", "portfolio"], "--workers: portfolio cannot be divided"],
  [["--workers", "2", "--dedupe", "states"], "--dedupe states cannot be divided"],
  [["--workers", "2", "--checkpoint", "c"], "--checkpoint and --resume are for one thread"],
  [["--workers", "0"], "--workers 0: it should be a whole number from 1 on"],
])("%j is refused in one line", async (more, message) => {
  const { status, stderr } = await run(["explore", "bioset-split:rescuer", ...more]);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

it("progress tells rates, and what is left where that is known", () => {
  const counted = { runs: 12_000, steps: 99_000, failingRuns: 0, elapsedMs: 1_500, states: null };
  const progress = {
    ...counted,
    ...{ runsPerSecond: 8_012.4, stepsPerSecond: 66_123, coverage: null, parts: null },
    ...{ runsLeft: 86_184, boundRunning: { measure: "preemptions", count: 2 } as const },
  };
  expect(progressText(progress)).toBe(
    "12000 runs, 8010 runs/s, 66100 steps/s, at 2 preemptions, about 86200 runs left",
  );
});
