import { checkShape } from "./check-shape.ts";
import type { ExportDescription, GroupDescription, StackDescription } from "./description.ts";
import { orderDevices } from "./device-order.ts";
import { parseGroup } from "./group.ts";
import { exportNameProblem, groupNameProblem, nameProblem } from "./names.ts";
import { suggestion } from "./nearest.ts";
import { type DiskEntry, parseDisk } from "./parse-disk.ts";
import { errorAt, errorAtName, type StackSource } from "./stack-source.ts";
import { checkTable } from "./table-text.ts";
import { YamlSource } from "./yaml-source.ts";

/** What the schema guarantees of the values. */
interface StackFile {
  readonly targets?: readonly string[];
  readonly disks?: Readonly<Record<string, DiskEntry>>;
  readonly groups?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, ExportEntry>>;
}

interface ExportEntry {
  readonly device: string;
  readonly readOnly?: boolean;
  readonly description?: string;
  readonly default?: boolean;
  readonly group?: string;
  readonly wholeBlocks?: boolean;
}

/**
 * Reads a stack file. `fileName` is for complaints.
 *
 * Throws a StackError for the first thing that is wrong, with its line and column. Waits: never.
 */
export function parseStack(text: string, fileName: string): StackDescription {
  const source = new YamlSource(text, fileName);
  checkShape(source.value, source);
  const file = source.value as StackFile;
  checkNames(file, source);
  const disks = entriesOf(file.disks, (entry, name) => parseDisk(entry, name, source));
  const groups = entriesOf(file.groups, (entry, name) => groupOf(entry, name, source));
  const devices = entriesOf(file.devices, (entry, name) => {
    checkTable(entry, name, source);
    return entry;
  });
  orderDevices(devices, source);
  const known: KnownNames = { devices: [...disks.keys(), ...devices.keys()], groups };
  const exports = entriesOf(file.exports, (entry, name) =>
    exportOf(entry, name, { source, known }),
  );
  checkDefaults(exports, source);
  return { targets: file.targets ?? [], disks, groups, devices, exports, source };
}

interface KnownNames {
  readonly devices: readonly string[];
  readonly groups: ReadonlyMap<string, GroupDescription>;
}

function entriesOf<From, To>(
  section: Readonly<Record<string, From>> | undefined,
  convert: (entry: From, name: string) => To,
): Map<string, To> {
  return new Map(
    Object.entries(section ?? {}).map(([name, entry]) => [name, convert(entry, name)]),
  );
}

function checkNames(file: StackFile, source: StackSource): void {
  for (const section of ["disks", "devices", "exports"] as const) {
    const problemOf = section === "exports" ? exportNameProblem : nameProblem;
    for (const name of Object.keys(file[section] ?? {})) {
      const problem = problemOf(name);
      if (problem !== undefined) throw errorAtName(source, [section, name], problem);
    }
  }
  const groups = new Set(Object.keys(file.groups ?? {}));
  for (const name of groups) {
    const problem = groupNameProblem(name, groups);
    if (problem !== undefined) throw errorAtName(source, ["groups", name], problem);
  }
  for (const name of Object.keys(file.devices ?? {})) {
    if (!Object.hasOwn(file.disks ?? {}, name)) continue;
    const message = `${JSON.stringify(name)} names a disk already; tables could not tell the two apart`;
    throw errorAtName(source, ["devices", name], message);
  }
}

function groupOf(text: string, name: string, source: StackSource): GroupDescription {
  try {
    return parseGroup(text);
  } catch (error) {
    throw errorAt(source, ["groups", name], `group ${JSON.stringify(name)}: ${messageOf(error)}`);
  }
}

function exportOf(
  entry: ExportEntry,
  name: string,
  { source, known }: { readonly source: StackSource; readonly known: KnownNames },
): ExportDescription {
  const { device, group } = entry;
  if (!known.devices.includes(device)) {
    const hint = suggestion(device, known.devices) || "; it should name a disk or device";
    const message = `export ${JSON.stringify(name)}: unknown device ${JSON.stringify(device)}${hint}`;
    throw errorAt(source, ["exports", name, "device"], message);
  }
  if (group !== undefined && !known.groups.has(group)) {
    const hint = suggestion(group, known.groups.keys()) || "; it should be one of groups";
    const message = `export ${JSON.stringify(name)}: unknown group ${JSON.stringify(group)}${hint}`;
    throw errorAt(source, ["exports", name, "group"], message);
  }
  return {
    device,
    ...(entry.readOnly === undefined ? {} : { isReadOnly: entry.readOnly }),
    ...(entry.description === undefined ? {} : { description: entry.description }),
    isDefault: entry.default ?? false,
    ...(group === undefined ? {} : { group }),
    ...(entry.wholeBlocks === true ? { keepsBlockSize: true } : {}),
  };
}

function checkDefaults(exports: ReadonlyMap<string, ExportDescription>, source: StackSource): void {
  const [first, second] = [...exports].filter(([, { isDefault }]) => isDefault);
  if (first === undefined || second === undefined) return;
  const message = `export ${JSON.stringify(second[0])}: ${JSON.stringify(first[0])} is the default already; only one can be`;
  throw errorAt(source, ["exports", second[0], "default"], message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
