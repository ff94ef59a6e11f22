import { join, resolve } from "node:path";
import { Bio, BioOp, BioStatus, type Bytes, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { inspectLog } from "@blkstack/dm-log-writes";
import { submitAndWait } from "@blkstack/make-request";
import { formatNbdUri } from "@blkstack/nbd";
import { runInTask, type Stack } from "@blkstack/stack";
import { type CliIo, printLine } from "../cli-io.ts";
import { type Ground, makeGround } from "../compose.ts";
import { Commander } from "../control/commander.ts";
import { ControlSocket } from "../control/control-socket.ts";
import { DISK_KINDS } from "../disk-kinds.ts";
import { ImageFile } from "../image-file.ts";
import { Reloader } from "../operate/reloader.ts";
import { type Serving, serveStack } from "../serving.ts";
import { openPlan, type StackPlan } from "../stack-file.ts";
import { UserError } from "../user-error.ts";
import type { LoggedDevice } from "./logged-device.ts";
import { OutputMarks } from "./output-marks.ts";
import { copySparse } from "./sparse-copy.ts";
import { runWorkload } from "./run-workload.ts";

export interface RecordOptions {
  readonly plan: StackPlan;
  readonly logged: LoggedDevice;
  readonly workload: string;
  /** The export that `$uri` names; undefined: the one that `serve` would tell of. */
  readonly exportName: string | undefined;
  /** Whether each line that the workload prints is a mark. */
  readonly hasOutputMarks: boolean;
  readonly memoryBytes: Bytes;
  /** Where what the device was at the start is kept; null: somebody has it. */
  readonly basePath: string | null;
  /** For sockets. */
  readonly folder: string;
  readonly io: CliIo;
  readonly signal: AbortSignal;
}

/** Runs a workload on a stack; afterwards the stack is closed, and its log is on its disk. */
export async function record(options: RecordOptions): Promise<void> {
  const { plan, io } = options;
  const ground = makeGround();
  ground.memory.startBackgroundReclaim();
  const onLog = (line: string): void => {
    printLine(io.stderr, `blkstack: ${line}`);
  };
  try {
    const stack = await openPlan(plan, ground, DISK_KINDS, onLog);
    try {
      await recordOn(stack, ground, { ...options, onLog });
    } finally {
      await stack.close();
    }
  } finally {
    ground.memory.stopBackgroundReclaim();
  }
  await checkWhole(logPathOf(plan, options.logged));
}

/** A log that ran full, or whose disk failed, ends early, and says so. */
async function checkWhole(logPath: string): Promise<void> {
  const log = await ImageFile.open("log", logPath, "/");
  try {
    if ((await inspectLog(log)).isEnded) return;
    throw new UserError("the log does not have all that was written: make its disk larger");
  } finally {
    await log.close();
  }
}

/** Where the log of a device is. */
export function logPathOf({ baseDirectory }: StackPlan, { logPath }: LoggedDevice): string {
  return resolve(baseDirectory, logPath);
}

interface Recording extends RecordOptions {
  readonly onLog: (line: string) => void;
}

async function recordOn(stack: Stack, ground: Ground, recording: Recording): Promise<void> {
  const { logged, basePath, memoryBytes, folder, onLog, exportName } = recording;
  if (stack.exports.size === 0) throw new UserError("the stack file has no exports to work on");
  if (exportName !== undefined && !stack.exports.has(exportName)) {
    throw new UserError(`--export ${exportName}: the stack has no such export`);
  }
  const below = stack.devices.get(logged.below);
  if (basePath !== null && below !== undefined) {
    const sizeBytes = logged.sizeSectors * SECTOR_BYTES;
    await copySparse((at, into) => readDevice(below, ground, at, into), basePath, sizeBytes);
  }
  const serving = await serveStack(stack, ground, { listen: [], hasOwnSocket: true, memoryBytes });
  try {
    const { exports, server } = serving;
    const reloader = new Reloader({ stack, exports, server, readPlan: null, tls: null });
    const room = { stack, exports, reloader };
    const commander = new Commander(room, ground.scheduler, onLog);
    const path = join(folder, "control.sock");
    const control = await ControlSocket.open(path, commander);
    try {
      await work(stack, ground, { ...recording, serving, controlPath: path });
    } finally {
      await control.close();
    }
  } finally {
    await serving.close();
  }
}

interface Work extends Recording {
  readonly serving: Serving;
  readonly controlPath: string;
}

async function work(
  stack: Stack,
  ground: Ground,
  { workload, hasOutputMarks, logged, io, signal, serving, controlPath, exportName }: Work,
): Promise<void> {
  const unix = serving.ownSocket?.socketPath ?? "";
  const name = exportName ?? serving.exportName;
  const variables = {
    uri: formatNbdUri({ unix, exportName: name }),
    unixsocket: unix,
    exportname: name,
    control: controlPath,
    device: logged.name,
  };
  const marks = new OutputMarks((text) =>
    runInTask(ground.scheduler, "mark", async (task) => {
      await stack.mapper.message(logged.name, 0, ["mark", text], task);
    }),
  );
  const status = await runWorkload(workload, {
    env: { ...io.env, ...variables },
    cwd: io.cwd,
    signal,
    onOutput: (text) => {
      if (hasOutputMarks) marks.take(text);
      // What the command itself prints is the report.
      else io.stderr.write(text);
    },
  });
  await marks.end();
  if (signal.aborted) throw new UserError("stopped before the workload had ended");
  if (status === 0) return;
  throw new UserError(`the workload ended with ${String(status)}; nothing was checked`);
}

async function readDevice(
  device: BlockDevice,
  { scheduler, submitter }: Ground,
  offsetBytes: Bytes,
  into: Uint8Array,
): Promise<void> {
  await runInTask(scheduler, "copy the disk", async (task) => {
    const bio = new Bio();
    bio.device = device;
    bio.op = BioOp.Read;
    bio.sector = offsetBytes / SECTOR_BYTES;
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes: into, frame: 0 }, into.length, 0);
    if ((await submitAndWait(submitter, bio, task)) === BioStatus.Ok) return;
    throw new UserError(`${device.name} cannot be read at ${String(offsetBytes)}, to be kept`);
  });
}
