import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

it("scenarios lists every variant with the verdict expected of it", async () => {
  const { stdout } = await run(["scenarios", "--json"]);
  const { scenarios } = JSON.parse(stdout) as {
    scenarios: { name: string; variants: { name: string; expect: string }[] }[];
  };
  const split = scenarios.find(({ name }) => name === "bioset-split");
  expect(split?.variants).toContainEqual(
    expect.objectContaining({ name: "no-rescuer", expect: "DEADLOCK" }),
  );
  const table = await run(["scenarios"]);
  expect(table.stdout).toMatch(/^bioset-split:no-rescuer +DEADLOCK +\S/m);
});

it("a deadlock that is found has exit status 1, a story, and a trace that repeats it", async () => {
  const cwd = await temporaryFolder();
  const found = await run(["explore", "bioset-split:no-rescuer", "--trace", "t.json"], { cwd });
  expect(found).toMatchObject({ status: 1, stderr: "" });
  expect(found.stdout).toMatch(/^DEADLOCK {2}bioset-split:no-rescuer[^]*[^\n]\n$/);
  const replayed = await run(["replay", "t.json"], { cwd });
  expect(replayed).toMatchObject({ status: 1, stderr: "" });
  expect(replayed.stdout).toMatch(/^DEADLOCK {2}bioset-split:no-rescuer[^]*[^\n]\n$/);
});

it("a trace that does not fit is told in one line", async () => {
  const cwd = await temporaryFolder();
  await run(["explore", "bioset-split:no-rescuer", "--trace", "t.json"], { cwd });
  const trace = JSON.parse(await readFile(join(cwd, "t.json"), "utf8")) as { steps: unknown[] };
  await writeFile(join(cwd, "t.json"), JSON.stringify({ ...trace, steps: [] }));
  const { status, stdout, stderr } = await run(["replay", "t.json"], { cwd });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^blkstack: t\.json does not fit this version: [^\n]+\n$/);
  await writeFile(join(cwd, "t.json"), "{}");
  expect((await run(["replay", "t.json"], { cwd })).stderr).toMatch(
    /^blkstack: cannot read the trace t\.json: not a trace[^\n]*\n$/,
  );
});

it("nothing found has exit status 0, and JSON is one object on one line", async () => {
  const { status, stdout } = await run(["explore", "bioset-split:rescuer", "--json"]);
  expect(status).toBe(0);
  expect(stdout.trimEnd()).not.toContain("\n");
  expect(JSON.parse(stdout)).toMatchObject({
    scenario: "bioset-split",
    variant: "rescuer",
    expect: "ok",
    verdict: "proved",
    trace: null,
  });
});

it("a random walk with the same seed finds the same", async () => {
  const argv = ["explore", "bioset-split:no-rescuer", "--strategy", "random", "--seed", "7"];
  const options = ["--executions", "500", "--json"];
  const [one, other] = [await run([...argv, ...options]), await run([...argv, ...options])];
  const withoutTime = (text: string) => text.replace(/"elapsedMs":[\d.]+/, "");
  expect(withoutTime(one.stdout)).toBe(withoutTime(other.stdout));
});

it("a scenario or variant that is not there is told with those that are", async () => {
  expect((await run(["explore", "nothing"])).stderr).toMatch(
    /^blkstack: unknown scenario "nothing"; known are [^\n]*bioset-split[^\n]*\n$/,
  );
  expect((await run(["explore", "bioset-split:x"])).stderr).toMatch(
    /^blkstack: scenario bioset-split has no variant "x"; it has [^\n]*no-rescuer[^\n]*\n$/,
  );
});

it("the demo goes as it should", async () => {
  const { status, stdout, stderr } = await run(["demo"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain('it read back   "written through a stack of devices"');
  expect(stdout).toContain("DEADLOCK  bioset-split:no-rescuer");
  expect(stdout).toContain("OK  bioset-split:rescuer");
});

it("the line at the end of a story repeats the run", async () => {
  const { stdout } = await run(["explore", "bioset-split:no-rescuer"]);
  const [, line = ""] = /\n {2}replay: blkstack replay "([^"]+)"\n$/.exec(stdout) ?? [];
  expect(line).toBe("bioset-split:no-rescuer submitter-1*2");
  const replayed = await run(["replay", line]);
  expect(replayed).toMatchObject({ status: 1, stderr: "" });
  expect(replayed.stdout).toContain(`replay: blkstack replay "${line}"`);
  const wrong = await run(["replay", "bioset-split:no-rescuer submitter-1*x"]);
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toMatch(/^blkstack: cannot read the run: "submitter-1\*x" should be NAME/);
});

it("a strategy goes by its name, and a bound that was run in full is told", async () => {
  const bounded = ["--strategy", "delays", "--bound", "1", "--executions", "500"];
  const { status, stdout } = await run(["explore", "bioset-split:rescuer", ...bounded]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^NOT FOUND .*all schedules with at most 1 delay, not all/);
  const raced = await run(["explore", "bioset-split:no-rescuer", "--strategy", "portfolio"]);
  expect(raced.status).toBe(1);
  expect(raced.stdout).toMatch(/^DEADLOCK .*found in run \d+ of \d+ by \S+,/);
});

it("who waits for whom is drawn, and a run written for Perfetto", async () => {
  const cwd = await temporaryFolder();
  const line = "bioset-split:no-rescuer submitter-1*2";
  const drawn = await run(["replay", line, "--graph", "mermaid", "--perfetto", "p.json"], { cwd });
  expect(drawn).toMatchObject({ status: 1, stderr: "" });
  expect(drawn.stdout).toMatch(/^flowchart LR\n {2}n0\(\["submitter-1<br>waits for a bio/);
  const { traceEvents } = JSON.parse(await readFile(join(cwd, "p.json"), "utf8")) as {
    traceEvents: { ph: string; name: string }[];
  };
  expect(traceEvents).toContainEqual(expect.objectContaining({ ph: "s", name: "bio#1" }));
  const dot = await run(["explore", "bioset-split:no-rescuer", "--graph", "dot"]);
  expect(dot.stdout).toContain("digraph waits {");
  const lanes = await run(["replay", line, "--lanes"]);
  expect(lanes.stdout).toMatch(/^step {2}submitter-1\n {3}1 {2}alloc from/);
  const both = await run(["explore", "bioset-split:no-rescuer", "--lanes", "--json"]);
  expect(both.status).toBe(2);
});
