import { SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice, DeviceRange, Errno } from "@blkstack/block";
import { kernelName } from "./device-label.ts";
import { TableError } from "./table-error.ts";
import type { TableTarget } from "./table-target.ts";
import type { TableLine } from "./table-text.ts";

/** A device's bytes must be countable in a signed 64-bit number. */
const DEVICE_SECTORS_MAX = (2n ** 63n - 1n) / BigInt(SECTOR_BYTES);
const TARGETS_MAX = 1_048_576;

/** Refuses a table without lines (EINVAL), or with too many (EOVERFLOW). */
export function checkLineCount(lines: readonly TableLine[]): void {
  if (lines.length === 0) {
    throw new TableError({ errno: "EINVAL", message: "a table needs at least one line" });
  }
  if (lines.length > TARGETS_MAX) {
    const message = `a table has at most ${String(TARGETS_MAX)} lines`;
    throw new TableError({ errno: "EOVERFLOW", message });
  }
}

/** What is checked before the type of a line is looked up. */
export function checkLength(line: TableLine, deviceNumber: string): void {
  if (line.length === 0n) throw refusedLine(line, deviceNumber, "zero-length target");
  if (line.begin + line.length > DEVICE_SECTORS_MAX) {
    throw refusedLine(line, deviceNumber, "too large device");
  }
}

/** Where a line may begin: at 0, then always at the end of the line before. */
export function checkContiguous(
  line: TableLine,
  before: TableLine | undefined,
  deviceNumber: string,
): void {
  const expected = before === undefined ? 0n : before.begin + before.length;
  if (line.begin === expected) return;
  const detail = `begins at ${String(line.begin)}, expected ${String(expected)}`;
  const log = `${line.type}: Gap in table (-EINVAL)`;
  throw refusedLine(line, deviceNumber, "Gap in table", { detail, log });
}

export function refusedLine(
  line: TableLine,
  deviceNumber: string,
  message: string,
  { detail = "", log = message }: { detail?: string; log?: string } = {},
): TableError {
  return new TableError({
    errno: "EINVAL",
    lineNumber: line.lineNumber,
    message: detail === "" ? message : `${message} (${detail})`,
    kernelLog: [`table: ${deviceNumber}: ${log}`, "ioctl: error adding target to table"],
  });
}

/** What a range is checked against: the blocks of all devices of its line. */
export interface AreaRules {
  readonly deviceNumber: string;
  readonly logicalBlockBytes: number;
}

/** Refuses (EINVAL) a range that its device does not have, or that cuts the table's blocks. */
export function checkArea(entry: TableTarget, range: DeviceRange, rules: AreaRules): void {
  const { device, startSector, sizeSectors } = range;
  const start = entry.counts.exactly(startSector);
  const length = entry.counts.exactly(sizeSectors);
  const deviceSectors = BigInt(device.sizeSectors);
  // A device that does not know its size takes anything.
  if (deviceSectors > 0n && (start >= deviceSectors || start + length > deviceSectors)) {
    const counts = `start=${String(start)}, len=${String(length)}`;
    throw refusedArea(entry, rules, device, (name) => {
      return `${name} too small for target: ${counts}, dev_size=${String(deviceSectors)}`;
    });
  }
  const block = String(rules.logicalBlockBytes);
  for (const [what, count] of [
    ["start", start],
    ["len", length],
  ] as const) {
    if (count % BigInt(rules.logicalBlockBytes / SECTOR_BYTES) === 0n) continue;
    throw refusedArea(entry, rules, device, (name) => {
      return `${what}=${String(count)} not aligned to h/w logical block size ${block} of ${name}`;
    });
  }
}

function refusedArea(
  { line }: TableTarget,
  { deviceNumber }: AreaRules,
  device: BlockDevice,
  say: (deviceName: string) => string,
): TableError {
  const errno: Errno = "EINVAL";
  return new TableError({
    errno,
    lineNumber: line.lineNumber,
    message: say(device.name),
    kernelLog: [
      `table: ${deviceNumber}: ${say(kernelName(device))}`,
      "core: Cannot calculate initial queue limits",
      "ioctl: unable to set up device queue for new table.",
    ],
  });
}
