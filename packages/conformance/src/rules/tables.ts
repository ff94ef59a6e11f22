import { BlockError } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { RuleOfTables } from "../suite/checked-rule.ts";
import { errorText } from "../suite/rule.ts";
import { type Subject, SuiteRig, toldLine } from "../suite/suite-rig.ts";
import type { InvalidTable, SuiteOptions } from "../suite/suite-options.ts";

/** What a device tells of its last line, without the place. */
function lineOf(rig: SuiteRig, kind: "table" | "status"): string {
  const text = rig.dm[kind]("md").at(-1) ?? "";
  return text.replace(/^\d+ \d+ /, "");
}

export const tableRoundTrip: RuleOfTables = {
  name: "table-round-trip",
  says: "the table that a device tells is its line, and makes the same device again",
  async check(subject) {
    const scheduler = new VirtualScheduler();
    const rig = new SuiteRig(scheduler, { subject });
    return scheduler.perform("people", async (task) => {
      await rig.create(task);
      const told = lineOf(rig, "table");
      const expected = toldLine(subject);
      if (told.trimEnd() !== expected) return `should tell "${expected}", and tells "${told}"`;
      const info = lineOf(rig, "status");
      if (info.includes("\n")) return `its status is more than a line: ${JSON.stringify(info)}`;
      const again = await reloaded(rig, task);
      return again === told ? null : `loaded again, "${told}" tells "${again}"`;
    });
  },
};

/** Loads the table that the device tells, and answers what it tells then. */
async function reloaded(rig: SuiteRig, task: Task): Promise<string> {
  await rig.dm.suspend("md", task);
  lineOf(rig, "status");
  await rig.renew(task, rig.dm.table("md").join("\n"));
  return lineOf(rig, "table");
}

/** Refuses lines that are wrong; of all tables together, for they have nothing to do with them. */
export async function complaintAboutRefusals(suite: SuiteOptions): Promise<string | null> {
  const [table] = suite.tables;
  if (table === undefined) return "the suite has no table that is taken";
  if (suite.invalidTables.length === 0) return "the suite has no table that is refused";
  for (const invalid of suite.invalidTables) {
    const line = `table "${invalid.line}"`;
    const complaint = await complaintAboutRefusal({ suite, table }, invalid);
    if (complaint !== null) return `${line}: ${complaint}`;
  }
  return null;
}

async function complaintAboutRefusal(
  subject: Subject,
  { line, says, errno = "EINVAL" }: InvalidTable,
): Promise<string | null> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, { subject });
  const place = `0 ${String(rig.sizeSectors)}`;
  return scheduler.perform("people", async (task) => {
    const reserves = rig.memory.reserves.size;
    const error = await refusal(() => rig.dm.create("md", task, { table: `${place} ${line}` }));
    if (error === null) return `should be refused with "${says}", and is taken`;
    if (!(error instanceof BlockError)) {
      return `should be refused with a BlockError, and throws this: ${errorText(error)}`;
    }
    if (!error.message.includes(says) || error.errno !== errno) {
      return `should be refused with ${errno} and "${says}"; is with ${error.errno} and "${error.message}"`;
    }
    const left = rig.memory.reserves.size - reserves;
    if (left > 0) return `is refused, and leaves ${String(left)} pools behind`;
    const then = await refusal(() => rig.create(task));
    return then === null ? null : `is refused, and then a right table is, too: ${errorText(then)}`;
  });
}

/** Null: it was not refused. */
async function refusal(command: () => Promise<unknown>): Promise<unknown> {
  try {
    await command();
    return null;
  } catch (error) {
    return error;
  }
}
