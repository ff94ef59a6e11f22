import {
  type Bio,
  BioFlag,
  BioOp,
  type Bytes,
  copyBioData,
  invariant,
  isDataless,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import { contentKey, folded, joined, keyOfText, placed } from "./fingerprints.ts";
import { type Barrier, Kept, type LooseSector, type SectorVersion } from "./kept.ts";

/** Where the content from before is read: the store of a disk in memory. */
export interface SectorSource {
  /** Copies `length` bytes from `offset` on to `into`, from its `intoOffset` on. */
  read(offset: Bytes, into: Uint8Array, intoOffset: Bytes, length: Bytes): void;
}

/** A write on its way, or in the cache. */
export interface CachedWrite {
  /** From 1, as they came. */
  readonly number: number;
  /** For people: `write 3: WRITE cow [16..17)`. */
  readonly label: string;
  readonly sectors: readonly Sectors[];
  readonly submittedAt: number;
  readonly isFlush: boolean;
  readonly isFua: boolean;
  acknowledgedAt: number;
}

/** What one sector may hold. */
interface SectorHistory {
  /** The durable content first, then those written since, in order; one of them survives. */
  versions: SectorVersion[];
  /** What it held before that, and must not hold any more. */
  readonly former: number[];
}

/**
 * What a power cut could leave of one device, for the place of a `WriteCache` in
 * `@blkstack/disk-ram`: a write that is under way or was acknowledged may have landed or not, each
 * of its sectors for itself, until a flush has ended that began after it was acknowledged, or until
 * it was acknowledged itself with FUA. What a bio with PREFLUSH writes lands after its flush. Writes
 * to one sector land in the order in which they were submitted.
 *
 * The same is what a device promises to whoever uses it. Told of the bios at the top of a stack, it
 * says what may be read there after the cut (`PowerCuts.promises`).
 */
export class VolatileCache {
  readonly name: string;
  /** Goes up with whatever may change the images. */
  changes = 0;
  readonly #salt: number;
  readonly #before: SectorSource | null;
  readonly #sectors = new Map<Sectors, SectorHistory>();
  readonly #loose = new Set<Sectors>();
  readonly #inFlight = new Map<Bio, CachedWrite>();
  #onChange: (() => void) | null = null;
  #hi = 0;
  #lo = 0;
  #time = 0;
  #writes = 0;

  /** `before`: what is there at first, when it is not said with each bio; nothing: zeroes. */
  constructor(name: string, before: SectorSource | null = null) {
    this.name = name;
    this.#before = before;
    this.#salt = keyOfText(name);
  }

  /** `told` hears of each change before it happens. */
  attach(told: () => void): void {
    this.#onChange = told;
  }

  /** A bio other than a read is about to be served. `store` still holds the older data. */
  submitted(bio: Bio, store: SectorSource | null = this.#before): void {
    this.#onChange?.();
    this.changes += 1;
    this.#time += 1;
    this.#writes += 1;
    const isFlush = bio.op === BioOp.Flush || (bio.flags & BioFlag.Preflush) !== 0;
    const count = bio.op === BioOp.Flush ? 0 : bio.sizeBytes / SECTOR_BYTES;
    const write: CachedWrite = {
      number: this.#writes,
      label: `write ${String(this.#writes)}: ${bio.toString()}`,
      sectors: Array.from({ length: count }, (_, index) => bio.sector + index),
      submittedAt: this.#time,
      isFlush,
      isFua: (bio.flags & BioFlag.Fua) !== 0,
      acknowledgedAt: Infinity,
    };
    this.#inFlight.set(bio, write);
    const data = isDataless(bio.op) ? new Uint8Array(bio.sizeBytes) : copyBioData(bio);
    for (const [index, sector] of write.sectors.entries()) {
      const bytes = data.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
      this.#historyOf(sector, store).versions.push(this.#version(bytes, sector, write));
      this.#loose.add(sector);
    }
  }

  /** That bio is about to end well. */
  acknowledged(bio: Bio): void {
    const write = this.#inFlight.get(bio);
    if (write === undefined) return;
    this.#onChange?.();
    this.changes += 1;
    this.#time += 1;
    this.#inFlight.delete(bio);
    write.acknowledgedAt = this.#time;
    if (write.isFlush) {
      for (const sector of this.#loose) {
        const { versions } = this.#historyOf(sector, null);
        this.#settle(sector, newestBefore(versions, write.submittedAt));
      }
    }
    if (!write.isFua) return;
    for (const sector of write.sectors) {
      const { versions } = this.#historyOf(sector, null);
      this.#settle(
        sector,
        Math.max(
          0,
          versions.findIndex((each) => each.write === write),
        ),
      );
    }
  }

  /** Equal for states of which a power cut can leave the same. */
  stateKey(): number {
    const loose = this.#looseSectors();
    let key = folded(this.#salt, joined(this.#hi, this.#lo) | 0);
    let other = folded(this.#lo, this.#hi);
    for (const { sector, versions } of loose) {
      key = folded(key, sector);
      for (const { hi, lo } of versions) {
        key = folded(key, hi);
        other = folded(other, lo);
      }
    }
    for (const { floors, ownVersions } of this.#barriers(loose)) {
      for (const [at, floor] of floors.entries()) {
        key = folded(key, floor);
        other = folded(other, ownVersions[at] ?? -1);
      }
    }
    return joined(key, other);
  }

  /** What a power cut right now can leave: it stays as it is while the device goes on. */
  capture(): Kept {
    const settled = new Map<Sectors, SectorVersion>();
    const former = new Map<Sectors, readonly number[]>();
    for (const [sector, history] of this.#sectors) {
      const [durable] = history.versions;
      if (!this.#loose.has(sector) && durable !== undefined) settled.set(sector, durable);
      former.set(sector, history.former);
    }
    const loose = this.#looseSectors();
    const barriers = this.#barriers(loose);
    const durable = { hi: this.#hi, lo: this.#lo };
    return new Kept({ name: this.name, settled, loose, former, barriers, durable });
  }

  #looseSectors(): LooseSector[] {
    return [...this.#loose]
      .sort((a, b) => a - b)
      .map((sector) => ({ sector, versions: [...this.#historyOf(sector, null).versions] }));
  }

  /** Writes that land only after a flush of their own, which is still under way. */
  #barriers(loose: readonly LooseSector[]): Barrier[] {
    const writes = [...this.#inFlight.values()].filter(
      ({ isFlush, sectors }) => isFlush && sectors.length > 0,
    );
    return writes.map((write) => ({
      ownVersions: loose.map(({ versions }) => versions.findIndex((each) => each.write === write)),
      floors: loose.map(({ versions }) => newestBefore(versions, write.submittedAt)),
    }));
  }

  #historyOf(sector: Sectors, store: SectorSource | null): SectorHistory {
    const known = this.#sectors.get(sector);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(SECTOR_BYTES);
    store?.read(sector * SECTOR_BYTES, bytes, 0, SECTOR_BYTES);
    const history = { versions: [this.#version(bytes, sector, null)], former: [] };
    this.#sectors.set(sector, history);
    return history;
  }

  #version(bytes: Uint8Array, sector: Sectors, write: CachedWrite | null): SectorVersion {
    const content = contentKey(bytes);
    return { bytes, content, write, ...placed(content, this.#salt, sector) };
  }

  /** What is older than version `index` is gone. */
  #settle(sector: Sectors, index: number): void {
    const history = this.#historyOf(sector, null);
    const [before] = history.versions;
    const durable = history.versions[index];
    invariant(before !== undefined && durable !== undefined, "a sector without a content");
    if (index > 0) {
      this.#hi ^= before.hi ^ durable.hi;
      this.#lo ^= before.lo ^ durable.lo;
      const gone = history.versions.splice(0, index);
      history.former.push(...gone.map(({ content }) => content));
    }
    if (history.versions.length === 1) this.#loose.delete(sector);
  }
}

/** The newest version that was acknowledged before `time`; 0, the durable one, if none was. */
function newestBefore(versions: readonly SectorVersion[], time: number): number {
  return Math.max(
    0,
    versions.findLastIndex(({ write }) => write !== null && write.acknowledgedAt < time),
  );
}
