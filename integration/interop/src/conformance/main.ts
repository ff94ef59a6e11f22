// `npm run -s conformance [ROW…]`: the rows of the conformance table, for this server and for those
// of its peers that are installed: who passes what.
import { setTimeout as delay } from "node:timers/promises";
import { makePki } from "../pki.ts";
import { isMissing, run } from "../tools.ts";
import { Workbench } from "../workbench.ts";
import { type Make, OURS, PEERS, PLAIN_ROLES } from "./makes.ts";
import type { Row, RowGroup } from "./row.ts";
import { RAW_GROUPS, TLS_GROUPS, TOOL_GROUPS } from "./rows.ts";
import { type Column, formatTable } from "./table.ts";
import { Target } from "./target.ts";

const ROW_MS = 90_000;
const COMPLAINT_LENGTH = 200;
const bench = new Workbench();

/** The groups with the rows that are wanted, all unless some are named; null when one is unknown. */
function chosenGroups(ids: readonly string[]): RowGroup[] | null {
  const groups = [
    ...TOOL_GROUPS.slice(0, 1),
    ...RAW_GROUPS,
    ...TOOL_GROUPS.slice(1),
    ...TLS_GROUPS,
  ];
  const known = new Set(groups.flatMap(({ rows }) => rows.map(({ id }) => id)));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    process.stderr.write(`no such row: ${unknown.join(", ")}; there are ${[...known].join(" ")}\n`);
    return null;
  }
  return groups
    .map(({ title, rows }) => ({
      title,
      rows: rows.filter(({ id }) => ids.length === 0 || ids.includes(id)),
    }))
    .filter(({ rows }) => rows.length > 0);
}

/** Null: it is not installed. */
async function versionOf({ version: [command = "", ...args] }: Make): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(command, args);
    return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? "?";
  } catch {
    // There is no such command.
    return null;
  }
}

/** Whether this server can be asked, with what is installed here. */
function canAsk({ make }: Target, { roles = PLAIN_ROLES, needs = [], appliesTo }: Row): boolean {
  const hasRoles = roles.every((role) => make.roles.includes(role));
  return hasRoles && appliesTo?.(make) !== false && !isMissing(...needs);
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const done = new AbortController();
  const late = delay(timeoutMs, `takes longer than ${String(timeoutMs)} ms`, done);
  const why = await Promise.race([work, late]).finally(() => {
    done.abort();
  });
  if (why !== undefined) throw new Error(why);
}

/** Null: it passes. */
async function complaintOf(row: Row, target: Target): Promise<string | null> {
  let complaint: string | null = null;
  try {
    await target.ready(row.roles);
    await within(ROW_MS, row.check(target));
  } catch (error) {
    complaint = (error as Error).message.replaceAll(/\s+/g, " ").slice(0, COMPLAINT_LENGTH);
  }
  const restarted = await target.ready(row.roles);
  if (complaint !== null || restarted.length === 0) return complaint;
  return `the server is gone (${restarted.join(", ")})`;
}

async function columnOf(make: Make, rows: readonly Row[]): Promise<Column | null> {
  const version = await versionOf(make);
  if (version === null) return null;
  process.stderr.write(`${make.name} ${version} …\n`);
  const target = new Target(make, bench, await pki);
  const complaints = new Map<string, string | null>();
  try {
    for (const row of rows) {
      if (!canAsk(target, row)) continue;
      complaints.set(row.id, await complaintOf(row, target));
    }
  } finally {
    await target.stop();
  }
  return { title: `${make.name} ${version}`, complaints };
}

const groups = chosenGroups(process.argv.slice(2));
if (groups === null) process.exit(2);
const pki = isMissing("openssl") ? null : makePki(bench);
const columns: Column[] = [];
try {
  for (const make of [OURS, ...PEERS]) {
    const column = await columnOf(
      make,
      groups.flatMap(({ rows }) => rows),
    );
    if (column !== null) columns.push(column);
  }
} finally {
  bench.clear();
}
process.stdout.write(formatTable(groups, columns));
const ours = [...(columns[0]?.complaints.values() ?? [])];
process.exitCode = ours.some((complaint) => complaint !== null) ? 1 : 0;
