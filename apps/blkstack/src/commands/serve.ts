import { resolve } from "node:path";
import type { NbdFeature, NbdLimits } from "@blkstack/nbd";
import { watchSystemMemory } from "@blkstack/memory/node";
import type { Stack } from "@blkstack/stack";
import { Command, Option } from "commander";
import { bridgeStdio } from "../bridge.ts";
import { type CommandContext, printLine } from "../cli-io.ts";
import { type Ground, makeGround } from "../compose.ts";
import { DISK_KINDS } from "../disk-kinds.ts";
import { collectLimit } from "../limit-option.ts";
import { type ListenAddress, parseListenAddress } from "../listen-address.ts";
import { memoryReport } from "../memory-report.ts";
import { type HttpAddress, parseHttpAddress } from "../operate/http-address.ts";
import {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  Logger,
  type LogLevel,
} from "../operate/logger.ts";
import { tellOddSizes } from "../odd-sizes.ts";
import { Operation } from "../operate/operation.ts";
import { collect, collectFeature, parseMemory } from "../option-values.ts";
import { runChild } from "../run-child.ts";
import { listenFdCount, type ServedAddress, type Serving, serveStack } from "../serving.ts";
import { openPlan, planOfImage, readStackFile, type StackPlan } from "../stack-file.ts";
import { StopSignal } from "../stop.ts";
import { checkTlsFlags, parseTlsMode, type TlsFlags } from "../tls.ts";
import { TlsFolder } from "../tls-folder.ts";
import { UserError } from "../user-error.ts";

interface ServeFlags extends TlsFlags {
  readonly file?: string;
  readonly readOnly?: boolean;
  readonly listen?: readonly string[];
  readonly memory: number;
  readonly limit?: Partial<NbdLimits>;
  readonly disable?: readonly NbdFeature[];
  readonly run?: string;
  readonly stdio?: boolean;
  readonly exitWithParent?: boolean;
  readonly control?: string;
  readonly http?: HttpAddress;
  readonly log: LogFormat;
  readonly logLevel?: LogLevel;
}

/** Room for two of the largest requests that are served, and for the reserves of a stack. */
const MEMORY_DEFAULT = "136MiB";

/** `blkstack serve STACK`, `blkstack serve --file IMAGE`: until a signal, or the end of `--run`. */
export function serveCommand(context: CommandContext): Command {
  return new Command("serve")
    .description("serve a stack, or one image file, over NBD")
    .argument("[stack]", "the stack file")
    .option("--file <image>", "serve this image file as the default export, without a stack file")
    .option("--read-only", "with --file: refuse writes")
    .option("--listen <address>", "unix:PATH or tcp:HOST:PORT; may be repeated", collect)
    .addOption(
      new Option("--memory <size>", "what payload, copies and caches may have in memory")
        .argParser(parseMemory)
        .default(parseMemory(MEMORY_DEFAULT), MEMORY_DEFAULT),
    )
    .option("--limit <name=value>", "what clients may have; may be repeated", collectLimit)
    .option("--run <command>", "run it in a shell with $uri and $unixsocket; its end ends all")
    .option("--disable <feature>", "do not offer it; may be repeated", collectFeature)
    .option("--stdio", "serve one client on standard input and output")
    .option("--exit-with-parent", "end when the process that started this one has ended")
    .option("--control <path>", "a unix socket for blkstack dm, export, group and reload")
    .option("--http <address>", "HOST:PORT for /metrics, /health and /ready", parseHttpAddress)
    .addOption(
      new Option("--log <format>", "how events are told on standard error")
        .choices(LOG_FORMATS)
        .default("text"),
    )
    .addOption(
      new Option("--log-level <level>", "from which level on; warn, with json info").choices(
        LOG_LEVELS,
      ),
    )
    .option("--tls <folder>", "speak TLS, with the certificates or keys of this folder")
    .option("--tls-mode <mode>", "on: clients may; require: they must (the default)", parseTlsMode)
    .option(
      "--tls-verify-peer",
      "with --tls: clients must show a certificate that ca-cert.pem signed",
    )
    .option("--allow-plain", "serve other machines in clear")
    .action((fileName: string | undefined, flags: ServeFlags) => serve(fileName, flags, context));
}

async function serve(
  fileName: string | undefined,
  flags: ServeFlags,
  context: CommandContext,
): Promise<void> {
  const { io } = context;
  checkFlags(fileName, flags);
  const listen = (flags.listen ?? []).map((text) => parseListenAddress(text, io.cwd));
  checkTlsFlags(flags, listen);
  const plan = await planOf(fileName, flags, io.cwd);
  const onLog = (line: string): void => {
    log.tellOfDevice(line);
  };
  const ground = makeGround({ isCounting: flags.http !== undefined, onWarning: onLog });
  ground.memory.startBackgroundReclaim();
  const machine = await watchSystemMemory(ground);
  const stop = new StopSignal(io);
  if (flags.exitWithParent === true) stop.followParent();
  const { log: format, logLevel = format === "json" ? "info" : "warn" } = flags;
  const nowMs = (): number => ground.scheduler.clock.nowMs();
  const log = new Logger({ output: io.stderr, format, level: logLevel, nowMs });
  const unhookReport = io.onReportSignal(() => {
    printLine(io.stderr, JSON.stringify(memoryReport(ground.memory)));
  });
  try {
    const tls = await TlsFolder.open(flags, io.cwd, onLog);
    const stack = await openPlan(plan, ground, DISK_KINDS, onLog);
    await tellOddSizes(plan, onLog);
    const start = { flags, fileName, listen, tls, io, log };
    const { serving, operation } = await startServing(stack, ground, start);
    try {
      await serveUntilStopped(serving, { flags, stop, operation, context });
    } finally {
      await operation.stop();
      await serving.close();
      await stack.close();
      await operation.end();
    }
  } finally {
    unhookReport();
    machine.stop();
    ground.memory.stopBackgroundReclaim();
    stop.release();
  }
}

function checkFlags(fileName: string | undefined, flags: ServeFlags): void {
  const { file, readOnly, listen, run, stdio } = flags;
  if (file !== undefined && fileName !== undefined) {
    throw new UserError(`give the stack file ${fileName} or --file ${file}, not both`);
  }
  if (file === undefined && fileName === undefined) {
    throw new UserError("nothing to serve; give a stack file, or --file and an image");
  }
  if (readOnly === true && file === undefined) {
    throw new UserError("--read-only goes with --file; a stack file says readOnly: true");
  }
  if (stdio === true && (listen !== undefined || run !== undefined)) {
    throw new UserError("--stdio serves one client; leave --listen and --run out");
  }
}

function planOf(
  fileName: string | undefined,
  { file = "", readOnly = false }: ServeFlags,
  cwd: string,
): Promise<StackPlan> | StackPlan {
  return fileName === undefined ? planOfImage(file, readOnly, cwd) : readStackFile(fileName, cwd);
}

interface Start {
  readonly flags: ServeFlags;
  readonly listen: readonly ListenAddress[];
  readonly tls: TlsFolder | null;
  readonly io: CommandContext["io"];
  readonly log: Logger;
  readonly fileName: string | undefined;
}

interface Started {
  readonly serving: Serving;
  readonly operation: Operation;
}

/** Who cannot be served leaves nothing behind, not even the files that were to be served. */
async function startServing(
  stack: Stack,
  ground: Ground,
  { flags, fileName, listen, tls, io, log }: Start,
): Promise<Started> {
  let serving: Serving | undefined;
  try {
    if (stack.exports.size === 0) throw new UserError("the stack file has no exports to serve");
    serving = await serveStack(stack, ground, {
      listen,
      hasOwnSocket: listen.length === 0,
      inheritedCount: listenFdCount(io.env),
      memoryBytes: flags.memory,
      limits: flags.limit ?? {},
      disable: flags.disable ?? [],
      log: (event) => {
        log.tellOfClient(event);
      },
      ...(tls === null ? {} : { tls: tls.inUse }),
    });
    const readPlan = fileName === undefined ? null : () => readStackFile(fileName, io.cwd);
    const { control, http } = flags;
    const operation = await Operation.start(
      { stack, serving, ground, readPlan, tls, log, io },
      { controlPath: control === undefined ? null : resolve(io.cwd, control), http: http ?? null },
    );
    return { serving, operation };
  } catch (error) {
    await serving?.close().catch(() => undefined);
    await stack.discard().catch(() => undefined);
    throw error;
  }
}

interface Stay {
  readonly flags: ServeFlags;
  readonly stop: StopSignal;
  readonly operation: Operation;
  readonly context: CommandContext;
}

async function serveUntilStopped(
  serving: Serving,
  { flags: { run, stdio }, stop, operation, context: { io, exitWith } }: Stay,
): Promise<void> {
  const { ownSocket, inherited } = serving;
  const addresses = [...inherited, ...serving.addresses];
  if (addresses.length === 0 && ownSocket !== null) addresses.push(ownSocket);
  if (stdio === true) {
    const client = bridgeStdio(ownSocket?.socketPath ?? "");
    await Promise.race([client.ended, stop.requested]);
    client.close();
  } else if (run === undefined) {
    // Who handed us the socket knows where it is, and what we print is mixed with what it prints.
    const told = inherited.length > 0 ? io.stderr : io.stdout;
    for (const { uri } of addresses) printLine(told, uri);
    printLine(told, "ready");
    await operation.ready();
    await stop.requested;
  } else {
    const child = runChild(run, childVariables(addresses[0], serving.exportName), io.env);
    const status = await Promise.race([child.ended, stop.requested]);
    if (typeof status === "number") exitWith(status);
    child.stop();
    await child.ended;
  }
}

/** What nbdkit tells its commands, so that those written for it work. */
function childVariables(
  address: ServedAddress | undefined,
  exportName: string,
): Record<string, string> {
  const { uri = "", socketPath = "", port = null } = address ?? {};
  const portText = port === null ? "" : String(port);
  return { uri, unixsocket: socketPath, port: portText, exportname: exportName };
}
