import type { Sectors } from "@blkstack/bio";
import type { Finding } from "../finding.ts";
import type { Fingerprint } from "./fingerprints.ts";
import type { CachedWrite } from "./volatile-cache.ts";

/** A content that a sector may have after a power cut. */
export interface SectorVersion extends Fingerprint {
  readonly bytes: Uint8Array;
  /** As `contentKey` tells it. */
  readonly content: number;
  /** Null: it was there before any. */
  readonly write: CachedWrite | null;
}

/** A sector that has several such contents: the durable one first. */
export interface LooseSector {
  readonly sector: Sectors;
  readonly versions: readonly SectorVersion[];
}

/**
 * A write that lands only after a flush of its own. Once any of it has landed, no loose sector is
 * older than its floor; of each loose sector, the version of this write, or -1.
 */
export interface Barrier {
  readonly floors: readonly number[];
  readonly ownVersions: readonly number[];
}

interface KeptOptions {
  readonly name: string;
  readonly settled: ReadonlyMap<Sectors, SectorVersion>;
  readonly loose: readonly LooseSector[];
  readonly former: ReadonlyMap<Sectors, readonly number[]>;
  readonly barriers: readonly Barrier[];
  readonly durable: Fingerprint;
}

/** What a power cut at one moment can leave of one device. */
export class Kept {
  readonly name: string;
  /** In order of their numbers. */
  readonly loose: readonly LooseSector[];
  readonly barriers: readonly Barrier[];
  /** Of the image in which nothing loose has landed. */
  readonly durable: Fingerprint;
  /** Written before, and certain. */
  readonly settled: ReadonlyMap<Sectors, SectorVersion>;
  readonly #former: ReadonlyMap<Sectors, readonly number[]>;

  constructor({ name, settled, loose, former, barriers, durable }: KeptOptions) {
    this.name = name;
    this.settled = settled;
    this.loose = loose;
    this.barriers = barriers;
    this.durable = durable;
    this.#former = former;
  }

  /**
   * What is wrong when `sector` has this content (a `contentKey`) after the cut; null: nothing.
   * `untouched`: the content of a sector that was never written.
   */
  complaintAbout(sector: Sectors, content: number, untouched: number): Finding | null {
    const versions = this.#versionsOf(sector);
    const isRight =
      versions.length === 0
        ? content === untouched
        : versions.some((version) => version.content === content);
    if (isRight) return null;
    const place = `sector ${String(sector)} of ${this.name}`;
    if (this.#former.get(sector)?.includes(content) !== true) {
      return { kind: "CORRUPTION", message: `${place} has what was never to be there` };
    }
    const lost = versions[0]?.write?.label ?? "what was written";
    return { kind: "LOST_WRITE", message: `${place} is as before ${lost}, which was durable` };
  }

  #versionsOf(sector: Sectors): readonly SectorVersion[] {
    const settled = this.settled.get(sector);
    if (settled !== undefined) return [settled];
    return this.loose.find((each) => each.sector === sector)?.versions ?? [];
  }
}
