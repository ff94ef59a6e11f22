/** How full the COW store of a snapshot is. */
export interface SnapshotFill {
  readonly begin: string;
  readonly usedSectors: number;
  readonly totalSectors: number;
}

/** Of which bios a cache had the data. */
export interface CacheHits {
  readonly begin: string;
  readonly bios: readonly (readonly [op: string, result: string, count: number])[];
}

const SNAPSHOT =
  /^(?<begin>\d+) \d+ snapshot(?:-merge)? (?:(?<used>\d+)\/(?<total>\d+) \d+|(?<state>.+))$/;
const CACHE =
  /^(?<begin>\d+) \d+ cache \d+ \d+\/\d+ (?<readHits>\d+) (?<readMisses>\d+) (?<writeHits>\d+) (?<writeMisses>\d+) /;

/** Of a status line of a snapshot that is well; of any other line: nothing. */
export function fillsOf(line: string): SnapshotFill[] {
  const { begin = "", used, total } = SNAPSHOT.exec(line)?.groups ?? {};
  if (used === undefined) return [];
  return [{ begin, usedSectors: Number(used), totalSectors: Number(total) }];
}

/** What is wrong with a snapshot, in the words of its status; null: nothing, or it is none. */
export function snapshotFault(line: string): string | null {
  const { state } = SNAPSHOT.exec(line)?.groups ?? {};
  return state === undefined || !/^(?:Invalid|Overflow|Merge failed)$/.test(state) ? null : state;
}

/** Of a status line of a cache; of any other line: nothing. */
export function hitsOf(line: string): CacheHits[] {
  const {
    begin = "",
    readHits,
    readMisses,
    writeHits,
    writeMisses,
  } = CACHE.exec(line)?.groups ?? {};
  if (readHits === undefined) return [];
  return [
    {
      begin,
      bios: [
        ["read", "hit", Number(readHits)],
        ["read", "miss", Number(readMisses)],
        ["write", "hit", Number(writeHits)],
        ["write", "miss", Number(writeMisses)],
      ],
    },
  ];
}
