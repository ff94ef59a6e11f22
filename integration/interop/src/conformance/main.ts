// The rows of the conformance table, for this server and for its peers: who passes what.
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../tools.ts";
import { Workbench } from "../workbench.ts";
import { NEGOTIATION_ROWS } from "./negotiation-rows.ts";
import type { Row } from "./row.ts";
import { type Make, OURS, PEERS, Target } from "./target.ts";
import { TRANSMISSION_ROWS } from "./transmission-rows.ts";

const ROW_MS = 90_000;
const ROWS: readonly Row[] = [...NEGOTIATION_ROWS, ...TRANSMISSION_ROWS];
/** Null: it passes. */
async function complaintOf(row: Row, target: Target): Promise<string | null> {
  const late = delay(ROW_MS, null, { ref: false }).then(() => {
    throw new Error(`takes longer than ${String(ROW_MS)} ms`);
  });
  try {
    await Promise.race([row.check(target), late]);
  } catch (error) {
    await target.ready();
    return (error as Error).message.split("\n")[0] ?? "";
  }
  const restarted = await target.ready();
  return restarted.length === 0 ? null : `the server is gone (${restarted.join(", ")})`;
}

async function versionOf({ version }: Make): Promise<string | null> {
  try {
    const { stdout } = await run(version[0] ?? "", version.slice(1));
    return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "?";
  } catch {
    // It is not installed.
    return null;
  }
}

const wanted = new Set(process.argv.slice(2));
const bench = new Workbench();
const columns: { title: string; complaints: Map<string, string> }[] = [];
for (const make of [OURS, ...PEERS]) {
  const version = await versionOf(make);
  if (version === null) continue;
  const target = new Target(make, bench.folder);
  const complaints = new Map<string, string>();
  try {
    await target.ready();
    for (const row of ROWS) {
      if (wanted.size > 0 && !wanted.has(row.id)) continue;
      const complaint = await complaintOf(row, target);
      if (complaint !== null) complaints.set(row.id, complaint);
    }
  } finally {
    await target.stop();
  }
  columns.push({ title: `${make.name} ${version}`, complaints });
}
bench.clear();

const rows = ROWS.filter(({ id }) => wanted.size === 0 || wanted.has(id));
const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
process.stdout.write(line(["row", "what", ...columns.map(({ title }) => title)]));
process.stdout.write(line(["---", "---", ...columns.map(() => "---")]));
for (const { id, says } of rows) {
  if (columns.every(({ complaints }) => !complaints.has(id))) continue;
  const cells = columns.map(({ complaints }) => (complaints.has(id) ? "fails" : "passes"));
  process.stdout.write(line([id, says.replaceAll("|", "\\|"), ...cells]));
}
const counts = columns.map(({ complaints }) => {
  return `${String(rows.length - complaints.size)} of ${String(rows.length)}`;
});
process.stdout.write(line(["all", "", ...counts]));
for (const { title, complaints } of columns) {
  for (const [id, why] of complaints) process.stderr.write(`${title}: ${id}: ${why}\n`);
}
process.exitCode = columns[0]?.complaints.size === 0 ? 0 : 1;
