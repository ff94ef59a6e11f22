import type { CrashPoint } from "./crash-points.ts";
import { type LooseWrite, tornToSectors } from "./loose-write.ts";
import { Lots } from "./lots.ts";

/** What a power cut at a point leaves: everything but some of the loose writes. */
export interface CrashState {
  readonly point: CrashPoint;
  /** In the order of the log. */
  readonly lost: readonly LooseWrite[];
}

export interface CrashStateOptions {
  /** Of a point with more states than this, so many are tried. At least 1. */
  readonly statesMax: number;
  /** Each sector of a write is there or not; else each write. Default: false. */
  readonly torn?: boolean;
  /** What is drawn by lot is the same for the same seed. Default: 0. */
  readonly seed?: number;
}

/**
 * The states of a point: all there are or, of too many, the one with everything lost, the one with
 * nothing lost, some with one write lost, some with one that is there, and some by lot. The one with
 * nothing lost is left out when it is the first of the next point.
 */
export function* crashStates(
  point: CrashPoint,
  { statesMax, torn = false, seed = 0 }: CrashStateOptions,
): Generator<CrashState, void> {
  const loose = torn ? point.loose.flatMap(tornToSectors) : point.loose;
  const behind = partsOf(point.behindFlush, torn);
  const { endsAsNextBegins } = point;
  // What is behind a flush comes after everything before it.
  const first = choicesOf(loose, statesMax, new Lots(seed, point.afterEntry));
  for (const lost of first) {
    if (lost.length === 0 && behind.length === 0 && endsAsNextBegins) continue;
    yield { point, lost: [...lost, ...behind] };
  }
  if (behind.length === 0) return;
  const second = choicesOf(behind, statesMax, new Lots(seed, point.afterEntry + 1));
  for (const lost of second) {
    if (lost.length === behind.length || (lost.length === 0 && endsAsNextBegins)) continue;
    yield { point, lost };
  }
}

function partsOf(write: LooseWrite | null, torn: boolean): LooseWrite[] {
  if (write === null) return [];
  return torn ? tornToSectors(write) : [write];
}

/** Whether the writes that are lost leave a state of the point: nothing is there before its flush. */
export function isStateOf(point: CrashPoint, lost: readonly LooseWrite[]): boolean {
  const { behindFlush } = point;
  if (behindFlush === null) return true;
  const lostBehind = lost.filter(({ entry }) => entry === behindFlush.entry);
  if (lostBehind.length === lost.length) return true;
  const sectors = (writes: readonly LooseWrite[]): number =>
    writes.flatMap(({ ranges }) => ranges).reduce((sum, range) => sum + range.sectors, 0);
  return sectors(lostBehind) === sectors([behindFlush]);
}

/** Sets of what is lost, no two of them equal. */
function choicesOf(writes: readonly LooseWrite[], most: number, lots: Lots): LooseWrite[][] {
  const count = writes.length;
  if (count < 31 && 2 ** count <= most) {
    // From everything lost to nothing lost.
    return Array.from({ length: 2 ** count }, (_, landed) =>
      writes.filter((_write, at) => ((landed >>> at) & 1) === 0),
    );
  }
  const choices = new Map<string, LooseWrite[]>();
  const add = (isLost: (at: number) => boolean): void => {
    if (choices.size >= most) return;
    const lost = writes.map((_, at) => isLost(at));
    const key = lost.map(Number).join("");
    if (!choices.has(key))
      choices.set(
        key,
        writes.filter((_, at) => lost[at] === true),
      );
  };
  add(() => true);
  add(() => false);
  const third = Math.ceil((most - choices.size) / 3);
  for (const one of lots.some(count, third)) add((at) => at === one);
  for (const one of lots.some(count, third)) add((at) => at !== one);
  // There are more sets than are wanted, but lots may fall on the same again and again.
  for (let draws = 0; choices.size < most && draws < DRAWS_PER_STATE * most; draws += 1) {
    const share = lots.next();
    add(() => lots.next() < share);
  }
  return [...choices.values()];
}

const DRAWS_PER_STATE = 8;
