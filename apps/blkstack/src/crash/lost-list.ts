import type { CrashPoint, LooseWrite, SectorRange } from "@blkstack/dm-log-writes";
import { UserError } from "../user-error.ts";

/** `12,14:500+1`: entries of a log, or ranges of sectors of them. */
export function formatLost(lost: readonly LooseWrite[]): string {
  const ranges = new Map<number, SectorRange[] | null>();
  for (const { entry, ranges: lostRanges } of lost) {
    const { sector, sectors, number } = entry;
    const [first] = lostRanges;
    const isWhole =
      lostRanges.length === 1 && first?.sector === sector && first.sectors === sectors;
    if (isWhole) ranges.set(number, null);
    else ranges.set(number, joined([...(ranges.get(number) ?? []), ...lostRanges]));
  }
  const texts = [...ranges].flatMap(([number, each]) => {
    if (each === null) return [String(number)];
    return each.map((range) => `${String(number)}:${rangeText(range)}`);
  });
  return texts.join(",");
}

/** `500+8`: where and how many. */
export function rangeText({ sector, sectors }: SectorRange): string {
  return `${String(sector)}+${String(sectors)}`;
}

/** Reads what `formatLost` gives, as writes of a point. */
export function parseLost(text: string, point: CrashPoint): LooseWrite[] {
  const { loose, behindFlush } = point;
  const writes = behindFlush === null ? loose : [...loose, behindFlush];
  const words = text.split(",").filter((word) => word !== "");
  return words.map((word) => {
    const { number, sector, sectors } =
      /^(?<number>\d+)(?::(?<sector>\d+)\+(?<sectors>\d+))?$/.exec(word)?.groups ?? {};
    const write = writes.find(({ entry }) => entry.number === Number(number ?? NaN));
    if (write === undefined) {
      const numbers = writes.map(({ entry }) => entry.number).join(", ");
      throw new UserError(
        `--lost ${word}: what can be lost at this point are the entries ${numbers || "none"}`,
      );
    }
    if (sector === undefined) return write;
    return { entry: write.entry, ranges: [{ sector: Number(sector), sectors: Number(sectors) }] };
  });
}

/** Ranges that touch are one. */
function joined(ranges: readonly SectorRange[]): SectorRange[] {
  const result: SectorRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last === undefined || last.sector + last.sectors !== range.sector) result.push(range);
    else result[result.length - 1] = { ...last, sectors: last.sectors + range.sectors };
  }
  return result;
}
