import { copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CliIo } from "../cli-io.ts";
import { readStackFile } from "../stack-file.ts";
import type { CrashFlags } from "./crash-flags.ts";
import { loggedDevice } from "./logged-device.ts";
import { logPathOf, record } from "./record.ts";

/** A log, and the disk as it was before. */
export interface Recording {
  readonly logPath: string;
  readonly basePath: string;
  /** As the user calls them; a base that the user does not have is null. */
  readonly logName: string;
  readonly baseName: string | null;
}

/** Where a search takes place. */
export interface Place {
  readonly io: CliIo;
  /** For what is only needed now. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Records a workload on a stack; without a stack, answers what was recorded earlier. */
export async function recordingOf(
  stackName: string | undefined,
  flags: CrashFlags,
  { io, folder, signal }: Place,
): Promise<Recording> {
  const { replay, base, workload = "" } = flags;
  const inCwd = (name: string): string => resolve(io.cwd, name);
  if (stackName === undefined) {
    const [logName = "", baseName = ""] = [replay, base];
    return { logPath: inCwd(logName), basePath: inCwd(baseName), logName, baseName };
  }
  const plan = await readStackFile(stackName, io.cwd);
  const logged = loggedDevice(plan.description, flags.log);
  const basePath = base === undefined ? join(folder, "base.img") : inCwd(base);
  await record({
    plan,
    logged,
    workload,
    exportName: flags.export,
    hasOutputMarks: flags.marks === true,
    memoryBytes: flags.memory,
    basePath: base === undefined ? basePath : null,
    folder,
    io,
    signal,
  });
  const logPath = logPathOf(plan, logged);
  return { logPath, basePath, logName: logged.logPath, baseName: base ?? null };
}

/** Copies it to where the user wants it. */
export async function keepRecording(
  { logPath, basePath }: Recording,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [from, name] of [
    [logPath, "writes.log"],
    [basePath, "base.img"],
  ] as const) {
    await copyFile(from, join(folder, name));
  }
}
