import { stringify } from "yaml";
import type {
  DiskDescription,
  ExportDescription,
  NbdDiskDescription,
  StackDescription,
} from "./description.ts";
import { formatGroup } from "./group.ts";
import { formatSize } from "./size.ts";

/** The text of a stack file that `parseStack` reads back as the same description. */
export function describeStack(stack: Omit<StackDescription, "source">): string {
  const sections = {
    disks: entriesOf(stack.disks, diskEntry),
    groups: entriesOf(stack.groups, formatGroup),
    devices: entriesOf(stack.devices, (table) => table),
    exports: entriesOf(stack.exports, exportEntry),
  };
  const used = Object.entries(sections).filter(([, entries]) => entries.size > 0);
  const targets = stack.targets.length === 0 ? {} : { targets: stack.targets };
  return stringify({ ...targets, ...Object.fromEntries(used) }, { lineWidth: 0 });
}

function entriesOf<From, To>(
  section: ReadonlyMap<string, From>,
  convert: (entry: From) => To,
): Map<string, To> {
  return new Map([...section].map(([name, entry]) => [name, convert(entry)]));
}

function diskEntry(disk: DiskDescription): object {
  const readOnly = disk.isReadOnly ? { readOnly: true } : {};
  if (disk.kind === "ram") return { ram: formatSize(disk.sizeBytes), ...readOnly };
  const size = disk.sizeBytes === undefined ? {} : { size: formatSize(disk.sizeBytes) };
  if (disk.kind === "nbd") return { nbd: disk.uri, ...size, ...nbdKeys(disk), ...readOnly };
  const rest = { ...size, ...(disk.create ? { create: true } : {}), ...readOnly };
  if (disk.kind === "file") {
    return { file: disk.path, ...rest, ...(disk.isDirect === true ? { direct: true } : {}) };
  }
  const offset = disk.offsetBytes === 0 ? {} : { offset: formatSize(disk.offsetBytes) };
  return { loop: disk.path, ...offset, ...rest };
}

function nbdKeys(disk: NbdDiskDescription): object {
  const { connections, reconnect, reconnectMs, answerMs, writesThrough } = disk;
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(reconnect === undefined ? {} : { reconnect }),
    ...(reconnectMs === undefined ? {} : { reconnectSeconds: reconnectMs / 1000 }),
    ...(answerMs === undefined ? {} : { timeoutSeconds: answerMs / 1000 }),
    ...(writesThrough === undefined ? {} : { writeThrough: writesThrough }),
  };
}

function exportEntry(offered: ExportDescription): object {
  const { device, isReadOnly, description, isDefault, group, keepsBlockSize } = offered;
  return {
    device,
    ...(isReadOnly === undefined ? {} : { readOnly: isReadOnly }),
    ...(description === undefined ? {} : { description }),
    ...(isDefault ? { default: true } : {}),
    ...(group === undefined ? {} : { group }),
    ...(keepsBlockSize === true ? { wholeBlocks: true } : {}),
  };
}
