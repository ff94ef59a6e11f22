import type { IoGroup } from "./io-group.ts";
import { StatFamily, StatKind } from "./stat-words.ts";

/**
 * A line of io.stat: `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. `groups`: the group
 * and those below it, whose I/O is its own too.
 */
export function ioStatLine(device: string, groups: readonly IoGroup[]): string {
  const { Bytes, Ios } = StatFamily;
  const { Read, Write, Discard } = StatKind;
  const words = [
    ["rbytes", Bytes, Read],
    ["wbytes", Bytes, Write],
    ["rios", Ios, Read],
    ["wios", Ios, Write],
    ["dbytes", Bytes, Discard],
    ["dios", Ios, Discard],
  ] as const;
  const text = words.map(([key, family, kind]) => `${key}=${String(sum(groups, family, kind))}`);
  return `${device} ${text.join(" ")}`;
}

/**
 * What the files of the first version show of one device: `8:16 Read 4096` and so on to its total,
 * which is that of Read and Write. A discard is a write there.
 */
export function blkioLines(
  device: string,
  groups: readonly IoGroup[],
  family: StatFamily,
): string[] {
  const read = sum(groups, family, StatKind.Read);
  const write = sum(groups, family, StatKind.Write) + sum(groups, family, StatKind.Discard);
  return [
    `${device} Read ${String(read)}`,
    `${device} Write ${String(write)}`,
    `${device} Sync ${String(sum(groups, family, StatKind.Sync))}`,
    `${device} Async ${String(sum(groups, family, StatKind.Async))}`,
    `${device} Total ${String(read + write)}`,
  ];
}

/** The last line of such a file: the sum of the totals of all devices. */
export function blkioTotal(groups: readonly IoGroup[], family: StatFamily): string {
  const { Read, Write, Discard } = StatKind;
  const [read, written, discarded] = [Read, Write, Discard].map((k) => sum(groups, family, k));
  return `Total ${String((read ?? 0) + (written ?? 0) + (discarded ?? 0))}`;
}

/** A whole such file, each line behind its name: `io_serviced 8:16 Read 4`, …, `io_serviced Total 4`. */
export function blkioFile(
  file: string,
  device: string,
  groups: readonly IoGroup[],
  family: StatFamily,
): string[] {
  const lines = [...blkioLines(device, groups, family), blkioTotal(groups, family)];
  return lines.map((line) => `${file} ${line}`);
}

function sum(groups: readonly IoGroup[], family: StatFamily, kind: StatKind): number {
  return groups.reduce((all, { stats }) => all + (stats?.get(family, kind) ?? 0), 0);
}
