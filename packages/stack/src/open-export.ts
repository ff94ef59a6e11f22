import type { BlockDevice } from "@blkstack/block";
import type { StackDescription } from "./description.ts";
import type { StackExport } from "./stack.ts";
import { errorAt } from "./stack-source.ts";

/** What exports are made of. */
export interface ExportGround {
  /** A disk or device by its name. */
  find(name: string): BlockDevice | undefined;
  /** Puts a device within the limits of a group. */
  within(device: BlockDevice, group: string): BlockDevice;
}

/** Throws a StackError for what an export asks of its device and cannot have. */
export function openExport(
  name: string,
  { exports, source }: StackDescription,
  ground: ExportGround,
): StackExport {
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
  return {
    name,
    device: wanted.group === undefined ? device : ground.within(device, wanted.group),
    isReadOnly: wanted.isReadOnly ?? device.isReadOnly,
    ...(wanted.description === undefined ? {} : { description: wanted.description }),
    isDefault: wanted.isDefault,
  };
}
