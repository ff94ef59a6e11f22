// `pnpm lint`: eslint over the workspace, a few packages at a time. Rules that know types keep every
// package that they have seen in memory, and all of them together do not fit.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { root } from "./pnpm.mjs";

const FOLDERS_AT_A_TIME = 8;

const workspaces = ["apps", "integration", "packages"].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
);
const groups = [];
for (let index = 0; index < workspaces.length; index += FOLDERS_AT_A_TIME) {
  groups.push(workspaces.slice(index, index + FOLDERS_AT_A_TIME));
}
const elsewhere = ["apps", "integration", "packages"].flatMap((parent) => [
  "--ignore-pattern",
  `${parent}/`,
]);
const runs = [[".", ...elsewhere], ...groups];

/** Answers the exit status of one eslint. */
function lint(args) {
  return new Promise((resolve) => {
    const eslint = join(root, "node_modules/eslint/bin/eslint.js");
    const child = spawn(process.execPath, [eslint, ...args], { cwd: root, stdio: "inherit" });
    child.on("close", (status) => resolve(status ?? 1));
  });
}

let worst = 0;
async function lintNext() {
  for (let args = runs.shift(); args !== undefined; args = runs.shift()) {
    worst = Math.max(worst, await lint(args));
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lintNext));
process.exitCode = worst;
