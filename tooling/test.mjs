// `npm test`: prepares the checkout and runs every check. The last line sums them all up:
// each gate counts as one, and each test of the test runner as one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pnpm, root } from "./pnpm.mjs";
import "./prepare.mjs";

const GATES = [
  ["build", ["run", "build"]],
  ["types", ["run", "typecheck"]],
  ["types under TypeScript 7", ["run", "typecheck:ts7"]],
  ["API reports", ["run", "api"]],
  ["packages as published", ["run", "check:packages"]],
  ["publishing, dry", ["run", "release:dry-run"]],
  ["lint", ["run", "lint"]],
  ["floors", ["run", "lint:layers"]],
  ["format", ["run", "format:check"]],
  ["unused code and dependencies", ["run", "knip"]],
  ["manifests", ["run", "manypkg"]],
];
// An unpacked archive, or a clone of one branch alone, has nothing to compare with.
const main = spawnSync("git", ["rev-parse", "--verify", "--quiet", "main"], { cwd: root });
if (main.status === 0) GATES.push(["changesets", ["exec", "changeset", "status"]]);

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

for (const [name, args] of GATES) {
  const startedMs = Date.now();
  const isGood = pnpm(args, ["ignore", "inherit", "inherit"]) === 0;
  total[isGood ? "passed" : "failed"] += 1;
  if (!isGood) failures.push(name);
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  console.log(`${isGood ? "passed" : "FAILED"}  ${name} (${seconds} s)`);
}

const reports = mkdtempSync(join(tmpdir(), "blkstack-test-"));
const reportFile = join(reports, "vitest.json");
const status = pnpm(
  ["exec", "vitest", "run", "--reporter=default", "--reporter=json", `--outputFile=${reportFile}`],
  ["ignore", "inherit", "inherit"],
);
if (existsSync(reportFile)) {
  const report = JSON.parse(readFileSync(reportFile, "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  // A file that does not even load has no failed test of its own.
  if (status !== 0 && report.numFailedTests === 0) total.failed += 1;
} else {
  total.failed += 1;
}
if (status !== 0) failures.push("tests");
rmSync(reports, { recursive: true, force: true });

if (process.env.CI === "true" && total.skipped > 0) {
  failures.push("tests were skipped, which CI does not allow");
}
if (failures.length > 0) console.log(`failed: ${failures.join(", ")}`);
console.log(
  `${String(total.passed)} passed, ${String(total.failed)} failed, ${String(total.skipped)} skipped`,
);
process.exit(failures.length > 0 ? 1 : 0);
