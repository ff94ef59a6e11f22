import type { Sectors } from "@blkstack/bio";
import type { Awaitable } from "@blkstack/task";
import type { Actor } from "../actor.ts";
import type { Finding } from "../finding.ts";
import type { RunWatcher } from "../run-watcher.ts";
import type { CrashLedger } from "./crash-ledger.ts";
import { CrashState, type ImageLimits } from "./crash-state.ts";
import { folded, joined, keyOfText } from "./fingerprints.ts";
import type { Kept } from "./kept.ts";
import type { VolatileCache } from "./volatile-cache.ts";

/** What a power cut has left. */
export interface CrashImage {
  /** Of a disk, every sector that was ever written; the others are as they were at first. */
  sectorsOf(disk: string): Iterable<readonly [sector: Sectors, bytes: Uint8Array]>;
}

/** The moment of a power cut. */
export interface PowerCut {
  /** What was promised by then: one of `PowerCuts.promises`, by name. */
  promised(name: string): Kept;
  /** What `PowerCuts.circumstances` said. */
  readonly circumstances: string;
}

/**
 * How to go on after a power cut, and what must hold then. The power is cut, in thought, after each
 * step of a run in which something has changed; a state that was met before is not tried again.
 */
export interface PowerCuts<Seen = unknown> {
  /** The disks, which must be told of every bio that is no read. */
  readonly disks: readonly VolatileCache[];
  /** What those were promised who use the stack: caches that are told of the bios at its top. */
  readonly promises?: readonly VolatileCache[];
  /** What else `check` goes by, as it is at the moment of the cut. */
  readonly circumstances?: () => string;
  /** States with more images than this are sampled. Default 4096. */
  readonly everyImageUpTo?: number;
  /** Drawn by lot of such a state, besides the extremes. Default 256. */
  readonly imagesSampled?: number;
  /**
   * Builds what comes up after the cut, over disks of its own with that content, and answers what
   * is to be seen there; best as few numbers, for thousands of answers are kept. Must depend on
   * the image alone: it is asked once for each. Not part of the explored run.
   */
  recover(image: CrashImage): Awaitable<Seen>;
  /** What is wrong with that after a cut at this moment; a text is a `CORRUPTION`. */
  check(seen: Seen, cut: PowerCut): Finding | string | null;
}

/** A state that a run went through, with what was promised then. */
export interface CutState extends PowerCut {
  readonly state: CrashState;
  readonly key: number;
  /** The steps that were taken before. */
  readonly step: number;
  /** The last of them. */
  readonly actor: Actor | null;
}

/** A cut that was not survived. */
export interface FatalCut {
  readonly step: number;
  /** One digit for each loose sector: the version that is there. */
  readonly digits: string;
  /** What has landed, and what has not. */
  readonly lines: readonly string[];
  readonly finding: Finding;
}

const EVERY_IMAGE_UP_TO = 4096;
const IMAGES_SAMPLED = 256;

/** Looks at the disks after each step of one run. */
export class CutWatcher implements RunWatcher {
  readonly plan: PowerCuts;
  readonly states: CutState[] = [];
  readonly #ledger: CrashLedger;
  readonly #caches: readonly VolatileCache[];
  #actor: Actor | null = null;
  #steps = 0;
  #changes = -1;
  #circumstances = "";

  constructor(plan: PowerCuts, ledger: CrashLedger) {
    this.plan = plan;
    this.#ledger = ledger;
    this.#caches = [...plan.disks, ...(plan.promises ?? [])];
  }

  get limits(): ImageLimits {
    const { everyImageUpTo = EVERY_IMAGE_UP_TO, imagesSampled = IMAGES_SAMPLED } = this.plan;
    return { everyImageUpTo, imagesSampled };
  }

  stepBegins(actor: Actor): void {
    this.#actor = actor;
    this.#steps += 1;
  }

  settled(): void {
    let changes = 0;
    for (const cache of this.#caches) changes += cache.changes;
    const circumstances = this.plan.circumstances?.() ?? "";
    if (changes === this.#changes && circumstances === this.#circumstances) return;
    this.#changes = changes;
    this.#circumstances = circumstances;
    const key = this.#key();
    if (!this.#ledger.isSurvived(key)) this.states.push(this.#captured(key));
  }

  #key(): number {
    let hi = keyOfText(this.#circumstances);
    let lo = 0;
    for (const cache of this.#caches) {
      const key = cache.stateKey();
      hi = folded(hi, Math.floor(key / 2 ** 21));
      lo = folded(lo, (key % 2 ** 21) ^ hi);
    }
    return joined(hi, lo);
  }

  #captured(key: number): CutState {
    const { disks, promises = [] } = this.plan;
    const kept = new Map(promises.map((cache) => [cache.name, cache.capture()]));
    return {
      state: new CrashState(disks.map((disk) => disk.capture())),
      key,
      step: this.#steps,
      actor: this.#actor,
      circumstances: this.#circumstances,
      promised(name) {
        const found = kept.get(name);
        if (found === undefined) throw new RangeError(`nothing was promised of ${name}`);
        return found;
      },
    };
  }
}
