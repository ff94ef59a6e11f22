import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { CliIo } from "../src/cli-io.ts";
import { runCli } from "../src/run-cli.ts";

/** One command line as it runs in a test. */
export interface TestRun {
  readonly finished: Promise<{ status: number; stdout: string; stderr: string }>;
  /** What has been printed so far. */
  readonly stdout: () => string;
  /** Ends when a line of the output is this one. */
  printed(line: string): Promise<void>;
  /** As SIGTERM would. */
  stop(): void;
  /** As SIGHUP would. */
  hangUp(): void;
  /** As SIGUSR2 would. */
  askForReport(): void;
  /** What has been complained of so far. */
  readonly stderr: () => string;
  /** Exit statuses that were to end the process at once. */
  readonly exits: readonly number[];
}

export interface TestPlace {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What there is on standard input. */
  readonly input?: string;
}

/** Starts a command line in this process. */
export function start(
  argv: readonly string[],
  { cwd = "/", env = {}, input = "" }: TestPlace = {},
): TestRun {
  const written = { stdout: "", stderr: "" };
  const stops = new Set<() => void>();
  const reporters = new Set<() => void>();
  const reloaders = new Set<() => void>();
  const exits: number[] = [];
  const watchers = new Set<() => void>();
  const io: CliIo = {
    stdout: {
      write(text) {
        written.stdout += text;
        for (const watch of watchers) watch();
      },
    },
    stderr: { write: (text) => (written.stderr += text) },
    readInput: () => Promise.resolve(input),
    env,
    cwd,
    onStopSignal(callback) {
      stops.add(callback);
      return () => void stops.delete(callback);
    },
    onReloadSignal(callback) {
      reloaders.add(callback);
      return () => void reloaders.delete(callback);
    },
    onReportSignal(callback) {
      reporters.add(callback);
      return () => void reporters.delete(callback);
    },
    exitNow: (status) => void exits.push(status),
  };
  const finished = runCli(argv, io).then((status) => ({ status, ...written }));
  return {
    finished,
    stdout: () => written.stdout,
    exits,
    printed: (line) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (written.stdout.split("\n").includes(line)) resolve();
        };
        watchers.add(watch);
        watch();
        void finished.then(() => {
          reject(new Error(`never printed ${line}: ${JSON.stringify(written)}`));
        });
      }),
    stop() {
      for (const stop of [...stops]) stop();
    },
    hangUp() {
      for (const reload of [...reloaders]) reload();
    },
    askForReport() {
      for (const report of [...reporters]) report();
    },
    stderr: () => written.stderr,
  };
}

/** Runs a command line to its end. */
export function run(
  argv: readonly string[],
  place?: TestPlace,
): Promise<{ status: number; stdout: string; stderr: string }> {
  return start(argv, place).finished;
}

/** A folder of the test's own, gone when it is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "blkstack-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
