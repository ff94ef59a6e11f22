// Makes a checkout ready to run: installs and builds, but only what is not ready yet. All output
// goes to stderr, so that `./blkstack … --json` prints its object and nothing else.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pnpm, requireNode, root } from "./pnpm.mjs";

const STAMP = join(root, "node_modules/.blkstack-prepared");
const LOCK = join(root, ".preparing");
const LOCK_STALE_MS = 10 * 60 * 1000;

/** When the file was changed last, in ms; 0 when there is none. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The newest change of anything that a build reads. */
function newestInput() {
  let newest = Math.max(
    changedAt(join(root, "pnpm-lock.yaml")),
    changedAt(join(root, "tsconfig.base.json")),
  );
  for (const group of ["packages", "apps", "integration"]) {
    for (const name of readdirSync(join(root, group))) {
      newest = Math.max(newest, changedAt(join(root, group, name, "package.json")));
      const source = join(root, group, name, "src");
      if (changedAt(source) === 0) continue;
      for (const file of readdirSync(source, { recursive: true })) {
        newest = Math.max(newest, changedAt(join(source, file)));
      }
    }
  }
  return newest;
}

function prepare() {
  if (changedAt(STAMP) > newestInput()) return;
  process.stderr.write("preparing blkstack (installing and building; once) …\n");
  const toStderr = ["ignore", 2, 2];
  const status =
    pnpm(
      ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"],
      toStderr,
    ) || pnpm(["run", "build"], toStderr);
  if (status !== 0) {
    process.stderr.write("preparing blkstack failed: see the lines above\n");
    process.exit(status);
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, "");
}

/** Two first uses at once must not install over each other: the second one waits. */
function withLock(action) {
  for (;;) {
    try {
      mkdirSync(LOCK);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (Date.now() - changedAt(LOCK) > LOCK_STALE_MS)
        rmSync(LOCK, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  const unlock = () => rmSync(LOCK, { recursive: true, force: true });
  process.once("exit", unlock);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  action();
  unlock();
}

requireNode();
if (changedAt(STAMP) <= newestInput()) withLock(prepare);
