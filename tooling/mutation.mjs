// `pnpm mutation PACKAGE…`: breaks the code of these packages in one place at a time, and asks the
// tests that stand beside it whether they notice. `--survivors` asks again only where they did not
// notice the last time; `--quick` does not ask the tests that explore, which take seconds for each
// mutant; other options go to Stryker as they are. Minutes per package, so `npm test` does not do it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pnpm, requireNode, root } from "./pnpm.mjs";

const SCORE_MIN_PERCENT = 85;
const HOME = "tooling/mutation";

requireNode();
const SURVIVORS = "--survivors";
const QUICK = "--quick";
const args = process.argv.slice(2);
const packages = args.filter((arg) => !arg.startsWith("-"));
const options = args.filter((arg) => arg.startsWith("-") && arg !== SURVIVORS && arg !== QUICK);
const unknown = packages.filter((name) => !existsSync(join(root, "packages", name, "src")));
if (packages.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such package: ${unknown.join(", ")}`);
  console.error("usage: pnpm mutation PACKAGE… [--quick] [--survivors] [--mutate=FILE:LINE-LINE]");
  process.exit(2);
}

// Not of the workspace: who never asks this question should not have to download the means.
const installed = pnpm(["--dir", HOME, "install", "--ignore-workspace", "--frozen-lockfile"]);
if (installed !== 0) process.exit(installed);

const reportOf = (name) => join(root, `temp/mutation/${name}.json`);
const readReport = (name) => JSON.parse(readFileSync(reportOf(name), "utf8"));

/**
 * Has Stryker take over what was noticed the last time, where the code is still the same. It would
 * take over survivors as well: it does not see that a test is new.
 */
function keepOnlyKilled(name) {
  const report = readReport(name);
  for (const file of Object.values(report.files)) {
    file.mutants = file.mutants.filter(({ status }) => status === "Killed" || status === "Timeout");
  }
  writeFileSync(join(root, `temp/mutation/${name}.killed.json`), JSON.stringify(report));
}

/** Runs Stryker on one package; answers how many mutants met each end, or null if it failed. */
function run(name) {
  const stryker = join(root, HOME, "node_modules/@stryker-mutator/core/bin/stryker.js");
  const strykerArgs = ["run", `${HOME}/stryker.config.mjs`, ...options];
  if (args.includes(SURVIVORS) && existsSync(reportOf(name))) {
    keepOnlyKilled(name);
    strykerArgs.push("--incremental");
  }
  const { status } = spawnSync(process.execPath, [stryker, ...strykerArgs], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      BLKSTACK_MUTATE: name,
      BLKSTACK_MUTATE_QUICK: args.includes(QUICK) ? "1" : "",
    },
  });
  if (status !== 0) return null;
  const report = readReport(name);
  const counts = { Killed: 0, Timeout: 0, Survived: 0, NoCoverage: 0 };
  for (const { mutants } of Object.values(report.files)) {
    // What never ran, or was not code any more, says nothing about the tests.
    for (const { status } of mutants) if (status in counts) counts[status] += 1;
  }
  return counts;
}

function rowOf(name, counts) {
  if (counts === null) return { package: name, score: "failed", isGood: false };
  const { Killed: killed, Timeout: timeout, Survived: survived, NoCoverage: uncovered } = counts;
  const percent = (100 * (killed + timeout)) / (killed + timeout + survived + uncovered);
  const isGood = percent >= SCORE_MIN_PERCENT;
  const score = `${percent.toFixed(2)} %`;
  return { package: name, killed, timeout, survived, uncovered, score, isGood };
}

const rows = packages.map((name) => rowOf(name, run(name)));
const COLUMNS = ["package", "killed", "timeout", "survived", "uncovered", "score"];
const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => String(row[column] ?? "")))];
const widths = COLUMNS.map((_, index) => Math.max(...lines.map((line) => line[index].length)));
console.log();
for (const line of lines) {
  const [name, ...figures] = line.map((text, index) =>
    index === 0 ? text.padEnd(widths[index]) : text.padStart(widths[index]),
  );
  console.log([name, ...figures].join("  "));
}
const bad = rows.filter(({ isGood }) => !isGood).map((row) => row.package);
if (bad.length > 0) console.log(`below ${String(SCORE_MIN_PERCENT)} %: ${bad.join(", ")}`);
process.exitCode = bad.length > 0 ? 1 : 0;
