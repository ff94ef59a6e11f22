import type { Sectors } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import type { LinePlace } from "./stack-part.ts";

export interface DiskLayout {
  readonly name: string;
  readonly sizeSectors: Sectors;
  /** Holds zeroes at first, and then what a target keeps in its own way. */
  readonly isScratch: boolean;
  readonly limits: Partial<QueueLimits>;
}

export interface LineLayout extends LinePlace {
  readonly part: string;
  readonly words: readonly string[];
  readonly messages: readonly string[];
}

export interface DeviceLayout {
  readonly name: string;
  readonly lines: readonly LineLayout[];
  /** Nothing stands on it, so that bios may be sent to it. */
  readonly isTop: boolean;
}

/** A whole stack, as it is to be opened: each device behind those that it stands on. */
export interface Layout {
  readonly disks: readonly DiskLayout[];
  readonly devices: readonly DeviceLayout[];
  /** Two devices may have a sector in common, or a bio may do something to other sectors. */
  readonly isCoupled: boolean;
}

/** The text of a device's table. */
export function tableText({ lines }: DeviceLayout): string {
  return lines
    .map(({ begin, sizeSectors, part, words }) =>
      [String(begin), String(sizeSectors), part, ...words].join(" "),
    )
    .join("\n");
}

/** All of it, for people: disks, tables and messages. */
export function layoutText({ disks, devices }: Layout): string {
  const lines = disks.map(({ name, sizeSectors, limits }) => {
    const narrow = Object.entries(limits).map(([limit, value]) => ` ${limit}=${String(value)}`);
    return `disk ${name}: ${String(sizeSectors)} sectors${narrow.join("")}`;
  });
  for (const device of devices) {
    for (const line of tableText(device).split("\n")) lines.push(`${device.name}: ${line}`);
    for (const { begin, messages } of device.lines) {
      for (const message of messages) {
        lines.push(`message ${device.name} ${String(begin)} ${message}`);
      }
    }
  }
  return lines.join("\n");
}
