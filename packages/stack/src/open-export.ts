import type { BlockDevice } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { StackDescription } from "./description.ts";
import type { StackExport } from "./stack.ts";
import type { StackGroups } from "./stack-groups.ts";
import { errorAt } from "./stack-source.ts";

/** What exports are made of. */
export interface ExportGround {
  /** A disk or device by its name. */
  find(name: string): BlockDevice | undefined;
  readonly groups: StackGroups;
}

/** The exports in the order in which their devices are to be entered: weights before all others. */
export function entryOrder({ exports, groups }: StackDescription): string[] {
  const hasWeight = (name: string): boolean =>
    groups.get(exports.get(name)?.group ?? "")?.weight !== undefined;
  return [...exports.keys()].sort((a, b) => Number(hasWeight(b)) - Number(hasWeight(a)));
}

/**
 * Throws a StackError for what an export asks of its device and cannot have. Waits: for memory, if its
 * group has a weight.
 */
export async function openExport(
  name: string,
  { exports, source }: StackDescription,
  ground: ExportGround,
  task: Task,
): Promise<StackExport> {
  const wanted = exports.get(name);
  const device = ground.find(wanted?.device ?? "");
  if (wanted === undefined || device === undefined) {
    const message = `export ${JSON.stringify(name)}: no device ${JSON.stringify(wanted?.device)}`;
    throw errorAt(source, ["exports", name, "device"], message);
  }
  if (wanted.isReadOnly === false && device.isReadOnly) {
    const message = `export ${JSON.stringify(name)}: device ${JSON.stringify(device.name)} is read-only; leave readOnly: false out`;
    throw errorAt(source, ["exports", name, "readOnly"], message);
  }
  const member = await ground.groups.enter(device, wanted.group ?? null, task);
  return {
    name,
    device: member.device,
    member,
    isReadOnly: wanted.isReadOnly ?? device.isReadOnly,
    ...(wanted.description === undefined ? {} : { description: wanted.description }),
    isDefault: wanted.isDefault,
    ...(wanted.keepsBlockSize === true ? { keepsBlockSize: true } : {}),
  };
}
