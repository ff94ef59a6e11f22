// The pinned pnpm, run through npx: neither corepack nor a global pnpm is needed. Imports nothing
// but Node's own modules, for it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager, engines } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));

/** Ends the program with one clear line when Node is older than the workspace needs. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [requiredMajor, requiredMinor] = engines.node.match(/\d+/g).map(Number);
  if (major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)) return;
  console.error(`blkstack needs Node ${engines.node}; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Runs pnpm in the root of the workspace; answers its exit status. `stdio` as in child_process. */
export function pnpm(args, stdio = "inherit", env = {}) {
  const isWindows = process.platform === "win32";
  const { status, error } = spawnSync(
    isWindows ? "npx.cmd" : "npx",
    ["--yes", packageManager.split("+")[0], ...args],
    {
      cwd: root,
      stdio,
      shell: isWindows,
      env: { TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...process.env, ...env },
    },
  );
  if (error !== undefined) console.error(`cannot run npx: ${error.message}`);
  return status ?? 1;
}
