import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** In which Debian package each client is. */
const PACKAGES = {
  nbdinfo: "libnbd-bin",
  nbdcopy: "libnbd-bin",
  nbddump: "libnbd-bin",
  nbdsh: "python3-libnbd",
  nbdkit: "nbdkit",
  "nbd-client": "nbd-client",
  "qemu-img": "qemu-utils",
  "qemu-io": "qemu-utils",
  "qemu-nbd": "qemu-utils",
  "qemu-storage-daemon": "qemu-system-common",
  mke2fs: "e2fsprogs",
  e2fsck: "e2fsprogs",
  debugfs: "e2fsprogs",
  sqlite3: "sqlite3",
  fio: "fio",
  openssl: "openssl",
  blkid: "util-linux",
  file: "file",
  "qemu-system-x86_64": "qemu-system-x86",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
} as const;

export type Tool = keyof typeof PACKAGES;

const told = new Set<Tool>();

/** Whether a tool is not installed; says once on stderr which package would bring it. */
export function isMissing(...tools: readonly Tool[]): boolean {
  const missing = missingTools(...tools);
  for (const tool of missing) {
    if (told.has(tool)) continue;
    told.add(tool);
    process.stderr.write(`skipped: ${howToInstall(tool)}\n`);
  }
  return missing.length > 0;
}

/** Those that are not installed. */
export function missingTools(...tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => !isInstalled(tool));
}

/** One line for whoever wants to have a tool. */
export function howToInstall(tool: Tool): string {
  return `${tool} is missing; install the package ${PACKAGES[tool]}`;
}

function isInstalled(tool: Tool): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Outcome {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Besides what this process has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end, however that is. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs = 60_000, env = {} }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      timeout: timeoutMs,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (status) => {
      resolve({ status, stdout, stderr });
    });
  });
}

/** Runs a command that must succeed, and answers what it printed. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, options);
  if (status === 0) return stdout;
  throw new Error(
    `${[command, ...args].join(" ")} ended with ${String(status)}: ${stderr}${stdout}`,
  );
}
