import { SECTOR_BYTES } from "@blkstack/bio";
import { blkioFile, ioStatLine, StatFamily, StatKind } from "@blkstack/io-group";
import type { CfqGroup } from "./cfq-group.ts";

/**
 * `io.stat`: one line, with the share behind what is counted everywhere. `blkio`: the files of the
 * first version of cgroups, each line behind the name of its file.
 */
export type StatFormat = "io.stat" | "blkio";

/** What a group has done with a device and what it had of it, in the words of cgroups. */
export function statTextOf(group: CfqGroup, device: string, format: StatFormat): string {
  return format === "io.stat" ? ioStatOf(group, device) : blkioOf(group, device).join("\n");
}

function ioStatOf(group: CfqGroup, device: string): string {
  const { weight, served, queued, dequeues } = group.share;
  const words = [
    ["weight", weight],
    ["time", served],
    ["merged", countOf(group, StatFamily.Merged)],
    ["queued", queued],
    ["dequeues", dequeues],
  ] as const;
  const share = words.map(([key, value]) => `cfq.${key}=${String(value)}`).join(" ");
  return `${ioStatLine(device, [group])} ${share}`;
}

function blkioOf(group: CfqGroup, device: string): string[] {
  const { weight, served, queued, dequeues } = group.share;
  const sectors = countOf(group, StatFamily.Bytes) / SECTOR_BYTES;
  return [
    `weight_device ${device} ${String(weight)}`,
    `time ${device} ${String(served)}`,
    `sectors ${device} ${String(sectors)}`,
    ...blkioFile("io_service_bytes", device, [group], StatFamily.Bytes),
    ...blkioFile("io_serviced", device, [group], StatFamily.Ios),
    ...blkioFile("io_merged", device, [group], StatFamily.Merged),
    `io_queued ${device} ${String(queued)}`,
    `dequeue ${device} ${String(dequeues)}`,
  ];
}

/** Of reads, writes and discards. */
export function countOf({ stats }: CfqGroup, family: StatFamily): number {
  if (stats === null) return 0;
  const { Read, Write, Discard } = StatKind;
  return stats.get(family, Read) + stats.get(family, Write) + stats.get(family, Discard);
}
