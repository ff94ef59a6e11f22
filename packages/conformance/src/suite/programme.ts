import { BioFlag, BioOp, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Random } from "@blkstack/task";
import { flushRequest, type Request } from "./request.ts";
import { optionalOps } from "./suite-rig.ts";

export interface ProgrammeOptions {
  /** Of the line. */
  readonly sizeSectors: Sectors;
  /** Everything is a multiple of this. */
  readonly blockSectors: Sectors;
  /** Where the target has its bios cut; 0: nowhere. */
  readonly seamSectors: Sectors;
  readonly random: Random;
}

const RANDOM_REQUESTS = 60;
const SIZES: readonly Sectors[] = [1, 2, 3, 8];
const PIECES_MAX = 3;
const FLAGS: readonly number[] = [
  BioFlag.Preflush,
  BioFlag.Fua,
  BioFlag.Preflush | BioFlag.Fua,
  BioFlag.Sync | BioFlag.Meta,
];

/** What is asked of every line, one bio after the other. */
export function programmeOf(options: ProgrammeOptions): readonly Request[] {
  const whole = { sector: 0, sectors: options.sizeSectors };
  const read = { op: BioOp.Read, ...whole };
  return [
    read,
    ...edges(options).flatMap((range, index) => {
      const pieces = 1 + (index % PIECES_MAX);
      return [
        { op: BioOp.Write, ...range, pieces },
        { op: BioOp.Read, ...range, pieces: 1 + ((index + 1) % PIECES_MAX) },
      ];
    }),
    read,
    flushRequest(),
    ...optionalOps().flatMap((op) => [
      { op: BioOp.Write, ...whole },
      ...edges(options)
        .slice(0, SIZES.length)
        .map((range) => ({ op, ...range })),
      read,
    ]),
    ...FLAGS.map((flags) => ({ op: BioOp.Write, ...whole, flags })),
    { ...read, flags: BioFlag.ReadAhead },
    ...byChance(options),
    read,
    flushRequest(),
  ];
}

/** Ranges at both ends of the line and on both sides of the seams. */
function edges({ sizeSectors, blockSectors, seamSectors }: ProgrammeOptions): readonly Range[] {
  const blocks = sizeSectors / blockSectors;
  const seams = seamSectors > 0 ? [seamSectors / blockSectors] : [8 / blockSectors];
  const found = new Map<string, Range>();
  for (const size of [...SIZES, ...seams.map((seam) => seam + 1), blocks]) {
    const around = seams.flatMap((seam) => [seam - 1, seam, seam - size]);
    for (const first of [0, 1, ...around, blocks - size]) {
      const isInside = first >= 0 && first + size <= blocks;
      const isWhole = Number.isInteger(first) && Number.isInteger(size);
      if (!isInside || !isWhole) continue;
      const range = { sector: first * blockSectors, sectors: size * blockSectors };
      found.set(`${String(first)}+${String(size)}`, range);
    }
  }
  return [...found.values()];
}

interface Range {
  readonly sector: Sectors;
  readonly sectors: Sectors;
}

function byChance({ sizeSectors, blockSectors, random }: ProgrammeOptions): readonly Request[] {
  const blocks = sizeSectors / blockSectors;
  const ops = [BioOp.Read, BioOp.Write, BioOp.Write, ...optionalOps()];
  return Array.from({ length: RANDOM_REQUESTS }, () => {
    const first = random.below(blocks);
    const size = 1 + random.below(blocks - first);
    return {
      op: ops[random.below(ops.length)] ?? BioOp.Read,
      sector: first * blockSectors,
      sectors: size * blockSectors,
      pieces: 1 + random.below(PIECES_MAX),
    };
  });
}

/** The size of a block of the disks, in sectors. */
export function blockSectorsOf(logicalBlockBytes: number): Sectors {
  return logicalBlockBytes / SECTOR_BYTES;
}
