import { BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Task } from "@blkstack/task";
import { AreaEntries } from "./area-entries.ts";
import { type CowHeader, headerProblem, readHeader } from "./cow-header.ts";
import { AreaReader, type CowIo } from "./cow-io.ts";
import { CowLayout } from "./cow-layout.ts";
import { CHUNK_LIMIT, ExceptionTable } from "./exception-table.ts";

/** What can be wrong with a COW device; stable, for programs to test. */
export type CowProblemKind =
  /** Nothing that starts as a COW device does. */
  | "bad-magic"
  | "bad-version"
  | "bad-chunk-size"
  /** Marked as invalid: it was full, or something failed. The snapshot cannot be used. */
  | "invalidated"
  /** The device ends where a header, an area or data should be. */
  | "truncated"
  | "unreadable"
  /** The same old chunk twice: the first exception counts. */
  | "duplicate-old-chunk"
  /** Two exceptions share a new chunk: a write to one changes the other. */
  | "duplicate-new-chunk"
  | "new-chunk-beyond-device"
  | "new-chunk-is-metadata"
  /** A number that no device has; a store with it is not loaded. */
  | "absurd-chunk"
  /** Behind the end of the list there are entries that do not count. */
  | "entries-behind-end";

export interface CowProblem {
  readonly kind: CowProblemKind;
  /** For people: what and where. */
  readonly message: string;
  /** Which area and which entry of it, counted from 0, where that is known. */
  readonly area?: number;
  readonly entry?: number;
}

/** What a COW device holds. */
export interface CowReport {
  /** Null where the device is too short for one, or cannot be read. */
  readonly header: CowHeader | null;
  /** `new`: would be made a store by the first load. `invalid`: marked so. */
  readonly state: "new" | "valid" | "invalid" | "unknown";
  readonly totalSectors: Sectors;
  readonly exceptions: number;
  /** Areas begun: with none the list was not read. */
  readonly areas: number;
  readonly usedSectors: Sectors;
  readonly metadataSectors: Sectors;
  /** Of the device, 0 to 100; more where an exception lies behind its end. */
  readonly usedPercent: number;
  /** The first of them; `problemCount` counts all. */
  readonly problems: readonly CowProblem[];
  readonly problemCount: number;
}

const MOST_PROBLEMS = 100;
const HEADER_SECTORS = 1;

/**
 * Looks at a COW device without changing it: what it holds, and all that is wrong with it. Never
 * throws for what it finds.
 *
 * Waits: for the device.
 */
export async function inspectCow(io: CowIo, task: Task): Promise<CowReport> {
  return new Inspection(io).run(task);
}

class Inspection {
  readonly #io: CowIo;
  readonly #totalSectors: Sectors;
  readonly #problems: CowProblem[] = [];
  #problemCount = 0;
  #exceptions = 0;
  #areas = 0;
  #highest = 1;
  readonly #oldChunks = new ExceptionTable();
  /** The other way round: new chunk → old chunk. */
  readonly #newChunks = new ExceptionTable();

  constructor(io: CowIo) {
    this.#io = io;
    this.#totalSectors = io.sizeSectors;
  }

  async run(task: Task): Promise<CowReport> {
    const header = await this.#readHeader(task);
    if (header === null || header.magic === 0)
      return this.#report(header, header === null ? "unknown" : "new", null);
    const problem = headerProblem(header, this.#io.logicalBlockBytes ?? []);
    if (problem !== null) {
      this.#note({ kind: problem.kind, message: problem.text });
      return this.#report(header, "unknown", null);
    }
    if (header.valid === 0)
      this.#note({ kind: "invalidated", message: "the snapshot is marked as invalid" });
    const layout = new CowLayout(header.chunkSectors);
    await this.#readAreas(layout, task);
    return this.#report(header, header.valid === 0 ? "invalid" : "valid", layout);
  }

  async #readHeader(task: Task): Promise<CowHeader | null> {
    const sector = new Uint8Array(HEADER_SECTORS * SECTOR_BYTES);
    if (this.#totalSectors < HEADER_SECTORS) {
      this.#note({ kind: "truncated", message: "the device is too short for a header" });
      return null;
    }
    if ((await this.#io.read(0, sector, task)) === BioStatus.Ok) return readHeader(sector);
    this.#note({ kind: "unreadable", message: "the header cannot be read" });
    return null;
  }

  async #readAreas(layout: CowLayout, task: Task): Promise<void> {
    const reader = new AreaReader(this.#io, layout);
    const entries = new AreaEntries(layout.chunkBytes);
    for (let area = 0; ; area += 1) {
      const where = `area ${String(area)}, in chunk ${String(layout.areaChunk(area))},`;
      if (!layout.isWithin(layout.areaChunk(area), this.#totalSectors)) {
        const message = `${where} lies behind the end of the device`;
        this.#note({ kind: "truncated", message, area });
        return;
      }
      if ((await reader.read(area, entries, task)) !== BioStatus.Ok) {
        this.#note({ kind: "unreadable", message: `${where} cannot be read`, area });
        return;
      }
      this.#areas += 1;
      const count = entries.count();
      for (let entry = 0; entry < count; entry += 1) this.#look(layout, entries, area, entry);
      if (count === entries.length) continue;
      if (!entries.clearFrom(count)) return;
      const message = `${where} has more behind its ${String(count)} exceptions, which does not count`;
      this.#note({ kind: "entries-behind-end", message, area, entry: count });
      return;
    }
  }

  #look(layout: CowLayout, entries: AreaEntries, area: number, entry: number): void {
    const oldChunk = entries.oldChunk(entry);
    const newChunk = entries.newChunk(entry);
    const note = (kind: CowProblemKind, what: string): void => {
      const which = `exception ${String(oldChunk)} → ${String(newChunk)}`;
      this.#note({ kind, message: `${which} ${what}`, area, entry });
    };
    this.#exceptions += 1;
    if (oldChunk >= CHUNK_LIMIT || newChunk >= CHUNK_LIMIT) {
      note("absurd-chunk", "names a chunk that no device has");
      return;
    }
    this.#highest = Math.max(this.#highest, newChunk);
    if (!layout.isWithin(newChunk, this.#totalSectors))
      note("new-chunk-beyond-device", "lies behind the end of the device");
    else if (layout.isMetadataChunk(newChunk)) note("new-chunk-is-metadata", "lies on metadata");
    if (!this.#newChunks.insert(newChunk, oldChunk)) {
      const other = String(this.#newChunks.lookup(newChunk));
      note("duplicate-new-chunk", `shares its place with old chunk ${other}`);
    }
    if (!this.#oldChunks.insert(oldChunk, newChunk)) {
      const first = String(this.#oldChunks.lookup(oldChunk));
      note("duplicate-old-chunk", `comes behind ${String(oldChunk)} → ${first}, which counts`);
    }
  }

  #note(problem: CowProblem): void {
    this.#problemCount += 1;
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem);
  }

  #report(
    header: CowHeader | null,
    state: CowReport["state"],
    layout: CowLayout | null,
  ): CowReport {
    const totalSectors = this.#totalSectors;
    const nextFree = layout?.dataChunkFrom(this.#highest + 1) ?? 0;
    const usage = layout?.usage(nextFree, this.#areas - 1, totalSectors);
    const usedSectors = usage?.allocatedSectors ?? 0;
    return {
      header,
      state,
      totalSectors,
      exceptions: this.#exceptions,
      areas: this.#areas,
      usedSectors,
      metadataSectors: usage?.metadataSectors ?? 0,
      usedPercent: totalSectors === 0 ? 0 : (usedSectors * 100) / totalSectors,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }
}
