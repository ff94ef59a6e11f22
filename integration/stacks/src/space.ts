import type { Sectors } from "@blkstack/bio";
import type { Range } from "@blkstack/conformance";
import type { DeviceLayout } from "./layout.ts";

/** Of a larger device only what lies around the ends of lines gets bios: there it is that things go wrong. */
const WHOLE_MAX: Sectors = 512;
const EDGE_SECTORS: Sectors = 16;

/** One of several who send bios, counted from 0. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/** The ranges of a device that get bios, dealt out to those who send them. */
export class Space {
  readonly ranges: readonly Range[];
  readonly #totalSectors: Sectors;

  constructor({ lines }: DeviceLayout) {
    const sizeSectors = lines.reduce((sum, line) => sum + line.sizeSectors, 0);
    const edges = [0, ...lines.map(({ begin, sizeSectors: length }) => begin + length)];
    this.ranges =
      sizeSectors <= WHOLE_MAX
        ? [{ sector: 0, sectors: sizeSectors }]
        : edges.map((edge) => around(edge, sizeSectors));
    this.#totalSectors = this.ranges.reduce((sum, { sectors }) => sum + sectors, 0);
  }

  /** A range of a share, no longer than asked for; `at` is any number. Null: the share is empty. */
  rangeOf({ index, of }: Share, at: number, sectors: Sectors): Range | null {
    const from = Math.floor((this.#totalSectors * index) / of);
    const end = Math.floor((this.#totalSectors * (index + 1)) / of);
    if (end <= from) return null;
    let place = from + (at % (end - from));
    const untilEnd = end - place;
    for (const range of this.ranges) {
      if (place < range.sectors) {
        const most = Math.min(sectors, untilEnd, range.sectors - place);
        return { sector: range.sector + place, sectors: most };
      }
      place -= range.sectors;
    }
    return null;
  }
}

function around(edge: Sectors, sizeSectors: Sectors): Range {
  const sector = Math.max(0, edge - EDGE_SECTORS);
  return { sector, sectors: Math.min(sizeSectors, edge + EDGE_SECTORS) - sector };
}
