import type { StackDescription } from "./description.ts";
import { orderDevices } from "./device-order.ts";
import { parentsFirst } from "./names.ts";
import { entryOrder } from "./open-export.ts";
import { OpenParts, type OpenStackOptions } from "./open-parts.ts";
import { Stack, type StackExport } from "./stack.ts";

/**
 * Opens the disks, then makes the devices, each after those that it stands on.
 *
 * Throws a StackError with the place of what is to blame; then nothing is left behind, nor any
 * file that was created. Waits: as the openers of the disks and the makers of the targets do.
 */
export async function openStack(
  description: StackDescription,
  options: OpenStackOptions,
): Promise<Stack> {
  const parts = new OpenParts(options);
  try {
    return new Stack(description, parts, await open(description, parts));
  } catch (error) {
    // What stands in the way of undoing matters less than why it is undone.
    await parts.close().catch(() => undefined);
    await parts.removeCreations().catch(() => undefined);
    throw error;
  }
}

async function open(
  description: StackDescription,
  parts: OpenParts,
): Promise<Map<string, StackExport>> {
  for (const name of parentsFirst(description.groups.keys())) {
    parts.groups.add(name, description.groups.get(name));
  }
  for (const name of description.disks.keys()) await parts.openDisk(name, description);
  for (const name of orderDevices(description.devices, description.source)) {
    await parts.createDevice(name, description);
  }
  const opened = new Map<string, StackExport>();
  for (const name of entryOrder(description)) {
    opened.set(name, await parts.openExport(name, description));
  }
  const inOrder = new Map<string, StackExport>();
  for (const name of description.exports.keys()) {
    const each = opened.get(name);
    if (each !== undefined) inOrder.set(name, each);
  }
  return inOrder;
}
