import type { BioOp } from "@blkstack/bio";
import { SECTOR_BYTES } from "@blkstack/bio";
import type { RamDisk } from "@blkstack/disk-ram";
import type { PendingInterrupt } from "@blkstack/task/virtual";
import {
  LogFlag,
  type LoggedEntry,
  LogReader,
  type LogSource,
  type ReplayTarget,
} from "../src/index.ts";

/** A disk as something to read a log from. */
export function sourceOf(disk: RamDisk): LogSource {
  return {
    sizeBytes: disk.sizeSectors * SECTOR_BYTES,
    read(offsetBytes, into) {
      const first = Math.floor(offsetBytes / SECTOR_BYTES);
      const skip = offsetBytes - first * SECTOR_BYTES;
      const bytes = new Uint8Array(Math.ceil((skip + into.length) / SECTOR_BYTES) * SECTOR_BYTES);
      disk.peek(first, bytes);
      into.set(bytes.subarray(skip, skip + into.length));
      return true;
    },
  };
}

/** Memory as something to read a log from. */
export function sourceOfBytes(bytes: Uint8Array): LogSource {
  return {
    sizeBytes: bytes.length,
    read(offsetBytes, into) {
      into.set(bytes.subarray(offsetBytes, offsetBytes + into.length));
      return true;
    },
  };
}

/** Memory as something to replay to. */
export function targetOf(bytes: Uint8Array): ReplayTarget {
  return {
    sizeSectors: bytes.length / SECTOR_BYTES,
    write(sector, from) {
      bytes.set(from, sector * SECTOR_BYTES);
      return true;
    },
    discard(sector, sectors) {
      bytes.fill(0, sector * SECTOR_BYTES, (sector + sectors) * SECTOR_BYTES);
      return true;
    },
  };
}

/** What a log says, one line for each entry: `write 8+1 7`, `flush`, `mark begin`. */
export async function linesOf(source: LogSource): Promise<string[]> {
  const reader = await LogReader.open(source);
  const lines: string[] = [];
  for await (const entry of reader.entries()) lines.push(await lineOf(entry, reader));
  return lines;
}

async function lineOf(entry: LoggedEntry, reader: LogReader): Promise<string> {
  const { flags, sector, sectors, mark, dataBytes } = entry;
  if (mark !== null) return `mark ${mark}`;
  const range = `${String(sector)}+${String(sectors)}`;
  if ((flags & LogFlag.Discard) !== 0) return `discard ${range}`;
  if (dataBytes === 0) return "flush";
  const data = new Uint8Array(dataBytes);
  await reader.readData(entry, 0, data);
  const bytes = new Set(data);
  const what = (flags & LogFlag.Fua) === 0 ? "write" : "fua";
  return `${what} ${range} ${[...bytes].join()}`;
}

/** The same of a disk, naively and without waiting; what was not counted in yet is left out. */
export function linesOn(disk: RamDisk): string[] {
  const bytes = new Uint8Array(disk.sizeSectors * SECTOR_BYTES);
  disk.peek(0, bytes);
  const view = new DataView(bytes.buffer);
  const number = (at: number): number => Number(view.getBigUint64(at, true));
  const lines: string[] = [];
  let at = SECTOR_BYTES;
  for (let left = number(16); left > 0; left -= 1) {
    const [sector, sectors, flags] = [number(at), number(at + 8), number(at + 16)];
    at += SECTOR_BYTES;
    if ((flags & LogFlag.Mark) !== 0) lines.push("mark");
    else if (sectors === 0) lines.push("flush");
    else lines.push(`${flags === LogFlag.Fua ? "fua" : "write"} ${String(sector)}`);
    at += sectors * SECTOR_BYTES;
  }
  return lines;
}

/** Which of the interrupts that wait is the end of an operation of a disk; -1: none. */
export function endAt(
  pending: readonly PendingInterrupt[],
  disk: RamDisk,
  is: (bio: { op: BioOp; sector: number; sectors: number }) => boolean,
): number {
  return pending.findIndex(({ source, work }) => {
    return source === disk && is(work as { op: BioOp; sector: number; sectors: number });
  });
}
