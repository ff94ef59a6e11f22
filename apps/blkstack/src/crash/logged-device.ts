import type { Sectors } from "@blkstack/bio";
import { parseTable } from "@blkstack/device-mapper";
import type { StackDescription } from "@blkstack/stack";
import { UserError } from "../user-error.ts";

/** The device of a stack whose writes are recorded. */
export interface LoggedDevice {
  readonly name: string;
  readonly sizeSectors: Sectors;
  /** What it stands on: a disk or device of the stack. */
  readonly below: string;
  /** The file of its log, as the stack file says it. */
  readonly logPath: string;
}

/** Finds the log-writes device of a stack, the one of this name if there are several. */
export function loggedDevice(
  { devices, disks }: StackDescription,
  wanted: string | undefined,
): LoggedDevice {
  const found = [...devices].filter(([, table]) => table.includes("log-writes"));
  const [name, table] = found.find(([each]) => each === wanted) ?? found[0] ?? [];
  if (name === undefined || table === undefined) {
    throw new UserError("the stack has no log-writes device whose writes could be recorded");
  }
  if (wanted !== undefined && name !== wanted) {
    throw new UserError(`--log ${wanted}: there is no log-writes device of that name, but ${name}`);
  }
  if (found.length > 1 && wanted === undefined) {
    const names = found.map(([each]) => each).join(", ");
    throw new UserError(`several devices are recorded: ${names}; say which by --log`);
  }
  const lines = parseTable(table);
  const [line] = lines;
  if (line === undefined || lines.length > 1 || line.type !== "log-writes") {
    throw new UserError(
      `${name} should be one line, of log-writes, from its first sector to its last`,
    );
  }
  const [below = "", log = ""] = line.args;
  const disk = disks.get(log);
  if (disk?.kind !== "file") {
    throw new UserError(
      `the log of ${name} should be on a file disk, not on ${log}: it is read afterwards`,
    );
  }
  return { name, sizeSectors: Number(line.length), below, logPath: disk.path };
}
