import { parseTable } from "@blkstack/device-mapper";
import type { DiskDescription, StackDescription } from "./description.ts";
import { orderDevices } from "./device-order.ts";
import { formatGroup } from "./group.ts";
import { parentsFirst } from "./names.ts";
import { entryOrder } from "./open-export.ts";
import { errorAtName } from "./stack-source.ts";
import { tableArguments } from "./table-text.ts";

/** What is done to one part of a stack on the way from one description to the next. */
export interface ReloadStep {
  readonly verb:
    | "open disk"
    | "grow disk"
    | "add group"
    | "suspend"
    | "create"
    | "load"
    | "check"
    | "resume"
    | "limit group"
    | "remove export"
    | "add export"
    | "remove device"
    | "remove group"
    | "close disk";
  readonly name: string;
}

/**
 * The steps from one description to another, in order. Those up to `add export` can be undone; those
 * behind it take away what nobody uses any more, which `check` has seen to.
 *
 * What is new is made while the devices are suspended that stand on the same: so a snapshot that is
 * added shows its disk as it was at one moment. A disk may be given a larger size, and stays as long when
 * later steps are undone: to cut it again could cut data. One that is described otherwise than before in
 * any other way is refused, with a StackError: its file is open.
 */
export function planReload(from: StackDescription, to: StackDescription): ReloadStep[] {
  refuseChangedDisks(from, to);
  const disks = differencesOf(from.disks, to.disks, sameEntry);
  const groups = differencesOf(from.groups, to.groups, (a, b) => formatGroup(a) === formatGroup(b));
  const devices = differencesOf(from.devices, to.devices, sameTable);
  const exports = differencesOf(from.exports, to.exports, sameEntry);
  const before = orderDevices(from.devices, from.source);
  const after = orderDevices(to.devices, to.source);
  const added = after.filter((name) => devices.added.has(name));
  const changed = after.filter((name) => devices.changed.has(name));
  const removed = before.filter((name) => devices.removed.has(name)).reverse();
  const paused = pausedBy([...added, ...changed], from, to);
  const goneDisks = [...disks.removed];
  return [
    ...steps("open disk", disks.added),
    ...steps("grow disk", disks.changed),
    ...steps("add group", parentsFirst(groups.added)),
    // Those above first, so that what they have in flight can end.
    ...steps("suspend", before.filter((name) => paused.has(name)).reverse()),
    ...steps("create", added),
    ...steps("load", changed),
    ...steps("check", [...removed, ...goneDisks]),
    ...steps(
      "resume",
      after.filter((name) => paused.has(name)),
    ),
    ...steps("limit group", groups.changed),
    ...steps("remove export", [...exports.removed, ...exports.changed]),
    ...steps(
      "add export",
      entryOrder(to).filter((name) => exports.changed.has(name) || exports.added.has(name)),
    ),
    ...steps("remove device", removed),
    ...steps("remove group", parentsFirst(groups.removed).reverse()),
    ...steps("close disk", goneDisks),
  ];
}

function steps(verb: ReloadStep["verb"], names: Iterable<string>): ReloadStep[] {
  return [...names].map((name) => ({ verb, name }));
}

interface Differences {
  readonly added: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
}

function differencesOf<Entry>(
  from: ReadonlyMap<string, Entry>,
  to: ReadonlyMap<string, Entry>,
  isSame: (a: Entry, b: Entry) => boolean,
): Differences {
  const isChanged = (name: string): boolean => {
    const [a, b] = [from.get(name), to.get(name)];
    return a !== undefined && b !== undefined && !isSame(a, b);
  };
  return {
    added: new Set([...to.keys()].filter((name) => !from.has(name))),
    changed: new Set([...to.keys()].filter(isChanged)),
    removed: new Set([...from.keys()].filter((name) => !to.has(name))),
  };
}

/** The devices of both descriptions that are named by what is made, or stand on the same. */
function pausedBy(
  made: readonly string[],
  from: StackDescription,
  to: StackDescription,
): ReadonlySet<string> {
  const wordsOf = (name: string, { devices, disks }: StackDescription): string[] =>
    tableArguments(devices.get(name) ?? "").filter((word) => devices.has(word) || disks.has(word));
  const touched = new Set(made.flatMap((name) => [name, ...wordsOf(name, to)]));
  const both = [...from.devices.keys()].filter((name) => to.devices.has(name));
  return new Set(
    both.filter(
      (name) => touched.has(name) || wordsOf(name, from).some((word) => touched.has(word)),
    ),
  );
}

function refuseChangedDisks(from: StackDescription, to: StackDescription): void {
  for (const [name, disk] of to.disks) {
    const before = from.disks.get(name);
    if (before === undefined || sameEntry(before, disk) || isLonger(before, disk)) continue;
    const message =
      `disk ${JSON.stringify(name)} is open and cannot become another one; ` +
      "add one under another name, and have the tables name that";
    throw errorAtName(to.source, ["disks", name], message);
  }
}

/** Whether a disk is the same but for a larger size. */
function isLonger(before: DiskDescription, disk: DiskDescription): boolean {
  if (before.kind !== "file" || disk.kind !== "file") return false;
  const { sizeBytes: from = Infinity, ...restBefore } = before;
  const { sizeBytes: to = 0, ...rest } = disk;
  return to > from && sameEntry(restBefore, rest);
}

/** Entries are plain objects that the parser makes, each with its keys in the same order. */
function sameEntry(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameTable(a: string, b: string): boolean {
  const lines = (table: string): string[][] =>
    parseTable(table).map(({ begin, length, type, args }) => {
      return [String(begin), String(length), type, ...args];
    });
  return sameEntry(lines(a), lines(b));
}
