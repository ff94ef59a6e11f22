import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/cli.ts";
import { type CapturedRun, runCaptured } from "./run-captured.ts";

const NEVER_MS = 600_000;

function captured(command: string, timeoutMs: number, cwd = "/"): Promise<CapturedRun> {
  const env = { PATH: process.env["PATH"] ?? "" };
  return runCaptured(command, { env, cwd, timeoutMs, signal: new AbortController().signal });
}

it("a command that ends in time is let alone", async () => {
  const run = await captured("echo told; echo complained >&2; exit 3", NEVER_MS);
  expect(run).toEqual({ status: 3, output: "told\ncomplained\n", isLate: false });
});

it("a command that takes too long is stopped, with all that it has started", async () => {
  const folder = await temporaryFolder();
  const run = await captured("sleep 600 & echo $! >pid; echo told; wait", 500, folder);
  expect(run).toMatchObject({ output: "told\n", isLate: true });
  const pid = (await readFile(join(folder, "pid"), "utf8")).trim();
  // What has ended and nobody has asked after has no command line any more.
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  expect(commandLine).toBe("");
});

it("a command that does not want to end is ended all the same", async () => {
  const { isLate, status } = await captured("trap '' TERM; sleep 600; sleep 600", 500);
  expect({ isLate, status }).toEqual({ isLate: true, status: 137 });
});

it("who has left a command that is stopped, and has its output, is not waited for", async () => {
  const folder = await temporaryFolder();
  const run = await captured("setsid sh -c 'echo $$ >pid; exec sleep 600' & wait", 500, folder);
  expect(run.isLate).toBe(true);
  process.kill(Number(await readFile(join(folder, "pid"), "utf8")), "SIGKILL");
});
