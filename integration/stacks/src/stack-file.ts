import { SECTOR_BYTES } from "@blkstack/bio";
import { type DiskDescription, parseStack } from "@blkstack/stack";
import type { DeviceLayout, DiskLayout, Layout, LineLayout } from "./layout.ts";

/** How large a disk is made that says nothing of its size. */
const SIZE_BYTES_UNTOLD = 1 << 20;

/**
 * The disks and devices of a stack file, as they are described there, but all disks in memory. Exports
 * and limits of groups are left out. Throws a StackError when the text is no stack file.
 */
export function layoutOf(text: string, fileName: string): Layout {
  const { disks, devices } = parseStack(text, fileName);
  const laidOut = [...devices].map(([name, table]) => {
    const lines = table
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(readLine);
    return { name, lines };
  });
  return {
    disks: [...disks].map(([name, disk]) => diskOf(name, disk, laidOut)),
    // A device is sent bios whether or not another stands upon it, so that some share their data.
    devices: laidOut.map((device) => ({ ...device, isTop: true })),
    isCoupled: true,
  };
}

function diskOf(
  name: string,
  disk: DiskDescription,
  devices: readonly Pick<DeviceLayout, "lines">[],
): DiskLayout {
  const bytes = disk.sizeBytes ?? SIZE_BYTES_UNTOLD;
  // What a snapshot or a log keeps in its second device is its own affair.
  const isScratch = devices.some(({ lines }) =>
    lines.some(({ part, words }) => ["snapshot", "log-writes"].includes(part) && words[1] === name),
  );
  return { name, sizeSectors: bytes / SECTOR_BYTES, isScratch, limits: {} };
}

function readLine(line: string): LineLayout {
  const [begin = "", size = "", part = "", ...words] = line.trim().split(/\s+/);
  return { begin: Number(begin), sizeSectors: Number(size), part, words, messages: [] };
}
