import { parseTable, TableError } from "@blkstack/device-mapper";
import { LogError, LogFlag, type LoggedEntry, LogReader } from "@blkstack/dm-log-writes";
import type { GoldenCase } from "./case-file.ts";
import { sha256 } from "./image.ts";
import { describeRuns } from "./pattern.ts";

const HASH_DIGITS = 8;
const FLAG_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "write"],
  [LogFlag.Fua, "fua"],
  [LogFlag.Discard, "discard"],
]);

/** The disks of a case, by their `/dev/…` names, that hold the log of a log-writes target. */
export function logDisksOf({ boots }: GoldenCase): ReadonlySet<string> {
  const tables = boots.flatMap(({ ops }) => ops.flatMap(({ table = [] }) => table));
  const names = tables.flatMap((line) => {
    try {
      return parseTable(line).flatMap(({ type, args }) => (type === "log-writes" ? args[1] : []));
    } catch (error) {
      if (error instanceof TableError) return [];
      throw error;
    }
  });
  return new Set(names.filter((name) => name !== undefined));
}

/**
 * What a log promises, entry by entry: what stood in it before each flush, FUA and mark. Writes
 * between two of them ended in no order that anybody could count on, so they are put in that of
 * their sectors. An empty flush of a write says here nothing of that write: neither its place nor
 * that it was a FUA.
 */
async function promisesOf(image: Uint8Array): Promise<string[]> {
  const reader = await LogReader.open({
    sizeBytes: image.length,
    read(offset, into) {
      into.set(image.subarray(offset, offset + into.length));
      return true;
    },
  });
  const lines: string[] = [];
  let loose: LoggedEntry[] = [];
  const settle = (): void => {
    loose.sort((one, other) => one.sector - other.sector);
    lines.push(...loose.map((entry) => lineOf(entry, image)));
    loose = [];
  };
  for await (const entry of reader.entries()) {
    if (entry.flags === 0 || entry.flags === LogFlag.Discard) {
      loose.push(entry);
      continue;
    }
    settle();
    lines.push(lineOf(entry, image));
  }
  settle();
  return lines;
}

/** What only one of two logs promises, in order; null where one is no log. */
export async function promisesOfOne(
  recorded: Uint8Array,
  here: Uint8Array,
): Promise<[recorded: string[], here: string[]] | null> {
  try {
    return differingLines(await promisesOf(recorded), await promisesOf(here));
  } catch (error) {
    if (error instanceof LogError) return null;
    throw error;
  }
}

/** The lines that a longest list, found in both in this order, leaves over. */
function differingLines(
  left: readonly string[],
  right: readonly string[],
): [left: string[], right: string[]] {
  const width = right.length + 1;
  const common = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const [skipLeft = 0, skipRight = 0] = [
        common[(i + 1) * width + j],
        common[i * width + j + 1],
      ];
      const both = (common[(i + 1) * width + j + 1] ?? 0) + 1;
      common[i * width + j] = left[i] === right[j] ? both : Math.max(skipLeft, skipRight);
    }
  }
  const [onlyLeft, onlyRight]: [string[], string[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && left[i] === right[j]) {
      i += 1;
      j += 1;
    } else if (
      j === right.length ||
      (i < left.length && (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))
    ) {
      onlyLeft.push(left[i] ?? "");
      i += 1;
    } else {
      onlyRight.push(right[j] ?? "");
      j += 1;
    }
  }
  return [onlyLeft, onlyRight];
}

function lineOf({ flags, sector, sectors, mark, ...data }: LoggedEntry, image: Uint8Array): string {
  if (mark !== null) return `mark ${mark}`;
  if (sectors === 0) return "flush";
  const bytes = image.subarray(data.dataAtBytes, data.dataAtBytes + data.dataBytes);
  const content = `${describeRuns(bytes, 0)} #${sha256(bytes).slice(0, HASH_DIGITS)}`;
  return `${FLAG_NAMES.get(flags) ?? String(flags)} ${String(sector)}+${String(sectors)} ${content}`;
}
