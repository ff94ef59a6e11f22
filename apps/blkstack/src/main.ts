#!/usr/bin/env node
import type { CliIo } from "./cli-io.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;
const reloaders = new Set<() => void>();

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  async readInput() {
    let text = "";
    for await (const part of process.stdin.setEncoding("utf8")) text += String(part);
    return text;
  },
  env: process.env,
  cwd: process.cwd(),
  onStopSignal(callback) {
    const onHangUp = (): void => {
      if (reloaders.size === 0) callback();
    };
    for (const signal of STOP_SIGNALS) process.on(signal, callback);
    process.on("SIGHUP", onHangUp);
    return () => {
      process.off("SIGHUP", onHangUp);
      for (const signal of STOP_SIGNALS) process.off(signal, callback);
    };
  },
  onReloadSignal(callback) {
    reloaders.add(callback);
    process.on("SIGHUP", callback);
    return () => {
      reloaders.delete(callback);
      process.off("SIGHUP", callback);
    };
  },
  onReportSignal(callback) {
    process.on("SIGUSR2", callback);
    return () => {
      process.off("SIGUSR2", callback);
    };
  },
  exitNow(status) {
    process.exit(status);
  },
};

// A reader that had enough is no reason to fail: `blkstack scenarios | head -1`. Nor is it one that
// `--stdio` is stopped before its client has done.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE" && error.code !== "ABORT_ERR") throw error;
});

// A story says where in the code a task waits: in the sources, where they are at hand.
if (["explore", "replay"].includes(process.argv[2] ?? "")) process.setSourceMapsEnabled(true);
const { runCli } = await import("./run-cli.ts");
process.exitCode = await runCli(process.argv.slice(2), io);
