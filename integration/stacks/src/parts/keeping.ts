import { BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { keeps } from "@blkstack/conformance";
import { cache } from "@blkstack/dm-cache";
import { logWrites } from "@blkstack/dm-log-writes";
import { snapshot, snapshotOrigin } from "@blkstack/dm-snapshot";
import fc from "fast-check";
import type { LineModel, LineSetting, StackLine, StackPart } from "../stack-part.ts";
import { flushAll, isFlush, shifted } from "./remapped.ts";
import { belowAt, firstOf, wholeTo } from "./words.ts";

/** A log has room for whatever is sent in one run. */
const LOG_SECTORS = 65_536;

export const logWritesPart: StackPart = {
  name: "log-writes",
  type: logWrites,
  takes: [BioOp.Discard],
  isSolid: true,
  lines: fc.constant({
    needs: ({ sizeSectors }) => [wholeTo(sizeSectors), { sectors: LOG_SECTORS, isScratch: true }],
    words: (below) => below.map(({ name }) => name),
  } satisfies StackLine),
  model: fromFirstSector,
};

export const cachePart: StackPart = {
  name: "cache",
  type: cache,
  takes: [BioOp.Discard, BioOp.WriteZeroes],
  isSolid: true,
  lines: fc
    .record({
      blockBytes: fc.constantFrom(4096, 512, 1024),
      mode: fc.constantFrom("writethrough", "writeback"),
      bypassSectors: fc.constantFrom(512, 6),
    })
    .map(({ blockBytes, mode, bypassSectors }) => ({
      granuleSectors: blockBytes / SECTOR_BYTES,
      needs: ({ sizeSectors }) => [wholeTo(sizeSectors, true)],
      words: (below) => [
        firstOf(below).name,
        blockBytes,
        16,
        3,
        mode,
        "bypass_sectors",
        bypassSectors,
      ],
    })),
  model: fromFirstSector,
};

/** Wherever the line begins, its first sector is the first one below. */
function fromFirstSector(setting: LineSetting): LineModel {
  return shifted(belowAt(setting, 0), 0);
}

const snapshotLines: fc.Arbitrary<StackLine> = fc
  .record({ chunk: fc.constantFrom(8, 4, 2, 1), store: fc.constantFrom("N", "P", "PO") })
  .map(({ chunk, store }) => ({
    granuleSectors: chunk,
    needs({ begin, sizeSectors }) {
      const end = begin + sizeSectors;
      return [wholeTo(end, true), { sectors: storeSectors(end, chunk), isScratch: true }];
    },
    words: (below) => [...below.map(({ name }) => name), store, chunk],
  }));

/** Room for every chunk, however few entries an area has. */
function storeSectors(originSectors: number, chunkSectors: number): number {
  const chunks = Math.ceil(originSectors / chunkSectors);
  const entriesPerArea = chunkSectors * (SECTOR_BYTES / 16);
  return chunkSectors * (chunks + 2 * Math.ceil(chunks / entriesPerArea) + 8);
}

export const snapshotPart: StackPart = {
  name: "snapshot",
  type: snapshot,
  takes: [],
  isSolid: true,
  lines: snapshotLines,
  model(setting) {
    const origin = belowAt(setting, 0);
    const bytes = new Uint8Array(origin.sizeSectors * SECTOR_BYTES);
    const all = { op: BioOp.Read, flags: 0, sector: 0, sectors: origin.sizeSectors, atMs: 0 };
    const asItWas = origin.serve({ ...all, bytes }).bytes;
    if (asItWas === null) return null;
    const { begin, sizeSectors } = setting;
    const kept = keeps((sector) => ({ disk: "origin", sector: begin + sector }))({
      begin,
      sizeSectors,
      disks: new Map([["origin", asItWas]]),
    });
    return {
      serve: (request) => (isFlush(request) ? flushAll([], request) : kept.serve(request)),
    };
  },
};

/** With up to two snapshots of it. */
export const originPart: StackPart = {
  name: "snapshot-origin",
  type: snapshotOrigin,
  others: [snapshot],
  takes: [],
  isSolid: true,
  lines: fc.array(snapshotLines, { maxLength: 2 }).map((snapshots) => ({
    needs: ({ begin, sizeSectors }) => [wholeTo(begin + sizeSectors, true)],
    words: (below) => [firstOf(below).name],
    beside: snapshots.map((line) => ({ part: "snapshot", line })),
  })),
  // Wherever the line begins, it has the sectors of the origin.
  model: (setting) => shifted(belowAt(setting, 0), setting.begin),
};
