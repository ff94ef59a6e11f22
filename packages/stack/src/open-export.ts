import type { BlockDevice } from "@blkstack/block";
import type { StackDescription } from "./description.ts";
import type { StackExport } from "./stack.ts";
import { errorAt } from "./stack-source.ts";

/** Throws a StackError for what an export asks of its device and cannot have. */
export function openExport(
  name: string,
  { exports, source }: StackDescription,
  devices: ReadonlyMap<string, BlockDevice>,
): StackExport {
  const wanted = exports.get(name);
  const device = devices.get(wanted?.device ?? "");
  if (wanted === undefined || device === undefined) {
    const message = `export ${JSON.stringify(name)}: no device ${JSON.stringify(wanted?.device)}`;
    throw errorAt(source, ["exports", name, "device"], message);
  }
  if (wanted.group !== undefined) {
    const message = "groups need the throttle target, which this version does not have";
    throw errorAt(source, ["exports", name, "group"], message);
  }
  if (wanted.isReadOnly === false && device.isReadOnly) {
    const message = `export ${JSON.stringify(name)}: device ${JSON.stringify(device.name)} is read-only; leave readOnly: false out`;
    throw errorAt(source, ["exports", name, "readOnly"], message);
  }
  return {
    name,
    device,
    isReadOnly: wanted.isReadOnly ?? device.isReadOnly,
    ...(wanted.description === undefined ? {} : { description: wanted.description }),
    isDefault: wanted.isDefault,
  };
}
