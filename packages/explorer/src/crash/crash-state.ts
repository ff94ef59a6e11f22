import type { Sectors } from "@blkstack/bio";
import { type Fingerprint, folded, joined } from "./fingerprints.ts";
import type { Barrier, Kept, SectorVersion } from "./kept.ts";

/** Of more writes with a flush of their own under way at a time, the rest counts as not landed. */
const BARRIERS_MAX = 6;

/** One choice of what has landed. Valid until the next one is asked for. */
export interface Choice {
  /** Of each loose sector, of all disks in their order, the version that is there. */
  readonly digits: Uint8Array;
  /** Equal for equal images, also of other states. */
  readonly key: number;
}

/** How many images to try of one state. */
export interface ImageLimits {
  /** States with more images than this are sampled. */
  readonly everyImageUpTo: number;
  /** Drawn by lot of such a state, besides the extremes. */
  readonly imagesSampled: number;
}

/** The versions that each loose sector may have, once some barriers have been passed. */
type Allowed = readonly (readonly number[])[];

/** What a power cut at one moment can leave of several disks. */
export class CrashState {
  readonly disks: readonly Kept[];
  readonly #loose: readonly (readonly SectorVersion[])[];

  constructor(disks: readonly Kept[]) {
    this.disks = disks;
    this.#loose = disks.flatMap(({ loose }) => loose.map(({ versions }) => versions));
  }

  get looseCount(): number {
    return this.#loose.length;
  }

  /** How many choices there are, of which some may be equal. */
  get choiceCount(): number {
    return this.#combinations().reduce((sum, allowed) => sum + sizeOf(allowed), 0);
  }

  /** Whether `images` gives all there are. */
  isComplete({ everyImageUpTo }: ImageLimits): boolean {
    if (this.disks.some(({ barriers }) => barriers.length > BARRIERS_MAX)) return false;
    return this.#combinations().every((allowed) => sizeOf(allowed) <= everyImageUpTo);
  }

  /**
   * The images: all, or of a state with too many those where nothing landed, everything, all but
   * one sector, only one sector, and as many by lot; the same ones each time.
   */
  *images({ everyImageUpTo, imagesSampled }: ImageLimits): Generator<Choice, void> {
    for (const allowed of this.#combinations()) {
      if (sizeOf(allowed) <= everyImageUpTo) yield* this.#all(allowed);
      else yield* this.#some(allowed, imagesSampled);
    }
  }

  /** A choice that is made elsewhere. */
  choiceOf(digits: Uint8Array): Choice {
    const { hi, lo } = this.#fingerprintOf(digits);
    return { digits, key: joined(hi, lo) };
  }

  /** Whether a choice made elsewhere is one of this state. */
  allows(digits: readonly number[]): boolean {
    return (
      digits.length === this.#loose.length &&
      this.#combinations().some((allowed) =>
        allowed.every((versions, at) => versions.includes(digits[at] ?? 0)),
      )
    );
  }

  /** What disk `index` holds after that choice, in every sector that was ever written. */
  *sectorsOf(index: number, digits: Uint8Array): Generator<readonly [Sectors, Uint8Array], void> {
    const disk = this.disks[index];
    if (disk === undefined) return;
    for (const [sector, { bytes }] of disk.settled) yield [sector, bytes];
    let at = this.disks.slice(0, index).reduce((sum, { loose }) => sum + loose.length, 0);
    for (const { sector, versions } of disk.loose) {
      const version = versions[digits[at] ?? 0];
      if (version !== undefined) yield [sector, version.bytes];
      at += 1;
    }
  }

  *#all(allowed: Allowed): Generator<Choice, void> {
    const place = new Uint8Array(allowed.length);
    const digits = Uint8Array.from(allowed, ([first = 0]) => first);
    let { hi, lo } = this.#fingerprintOf(digits);
    for (;;) {
      yield { digits, key: joined(hi, lo) };
      let at = 0;
      // As a counter counts, so that little changes from one image to the next.
      for (; at < place.length; at += 1) {
        const choices = allowed[at] ?? [];
        const next = ((place[at] ?? 0) + 1) % choices.length;
        const before = this.#loose[at]?.[digits[at] ?? 0];
        place[at] = next;
        digits[at] = choices[next] ?? 0;
        const now = this.#loose[at]?.[digits[at] ?? 0];
        hi ^= (before?.hi ?? 0) ^ (now?.hi ?? 0);
        lo ^= (before?.lo ?? 0) ^ (now?.lo ?? 0);
        if (next !== 0) break;
      }
      if (at === place.length) return;
    }
  }

  *#some(allowed: Allowed, sampled: number): Generator<Choice, void> {
    const oldest = Uint8Array.from(allowed, ([first = 0]) => first);
    const newest = Uint8Array.from(allowed, (choices) => choices.at(-1) ?? 0);
    yield this.choiceOf(oldest);
    yield this.choiceOf(newest);
    for (let at = 0; at < allowed.length; at += 1) {
      if (oldest[at] === newest[at]) continue;
      yield this.choiceOf(newest.with(at, oldest[at] ?? 0));
      yield this.choiceOf(oldest.with(at, newest[at] ?? 0));
    }
    let lot = folded(this.choiceOf(newest).key | 0, allowed.length);
    for (let drawn = 0; drawn < sampled; drawn += 1) {
      const digits = Uint8Array.from(allowed, (choices, at) => {
        lot = folded(lot, at);
        return choices[(lot >>> 0) % choices.length] ?? 0;
      });
      yield this.choiceOf(digits);
    }
  }

  #fingerprintOf(digits: Uint8Array): Fingerprint {
    let hi = 0;
    let lo = 0;
    for (const { durable } of this.disks) {
      hi ^= durable.hi;
      lo ^= durable.lo;
    }
    for (const [at, versions] of this.#loose.entries()) {
      const [old, now] = [versions[0], versions[digits[at] ?? 0]];
      hi ^= (old?.hi ?? 0) ^ (now?.hi ?? 0);
      lo ^= (old?.lo ?? 0) ^ (now?.lo ?? 0);
    }
    return { hi, lo };
  }

  /** One for each set of barriers that may have been passed; choices differ between them. */
  #combinations(): Allowed[] {
    let combinations: Allowed[] = [[]];
    for (const { loose, barriers } of this.disks) {
      const ofDisk = setsOf(barriers).map((passed) =>
        loose.map(({ versions }, at) => {
          const floor = Math.max(0, ...passed.map(({ floors }) => floors[at] ?? 0));
          return versions
            .map((_, version) => version)
            .filter((version) => version >= floor && mayBeThere(version, at, barriers, passed));
        }),
      );
      combinations = combinations.flatMap((before) =>
        ofDisk.map((allowed) => [...before, ...allowed]),
      );
    }
    return combinations;
  }
}

function mayBeThere(
  version: number,
  at: number,
  barriers: readonly Barrier[],
  passed: readonly Barrier[],
): boolean {
  return barriers.every(
    (barrier) => barrier.ownVersions[at] !== version || passed.includes(barrier),
  );
}

function setsOf(barriers: readonly Barrier[]): Barrier[][] {
  const few = barriers.slice(0, BARRIERS_MAX);
  return Array.from({ length: 2 ** few.length }, (_, set) =>
    few.filter((_barrier, at) => ((set >> at) & 1) === 1),
  );
}

function sizeOf(allowed: Allowed): number {
  return allowed.reduce((product, { length }) => product * length, 1);
}
