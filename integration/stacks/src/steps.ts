import { BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import fc from "fast-check";

/** What somebody does to a stack, in 32 bits; `Steps` says what they mean for a given stack. */
export type StepCode = number;

const CODES = 2 ** 32;

/** Runs of exactly `count` steps, that shrink by leaving some out. */
export function stepCodes(count: number): fc.Arbitrary<readonly StepCode[]> {
  return new StepCodes(count);
}

/** fast-check's own arrays shrink in length only down to the least; these are all of one length. */
class StepCodes extends fc.Arbitrary<readonly StepCode[]> {
  readonly #count: number;

  constructor(count: number) {
    super();
    this.#count = count;
  }

  generate(random: fc.Random): fc.Value<readonly StepCode[]> {
    const codes = Array.from({ length: this.#count }, () => random.nextInt(0, CODES - 1));
    return new fc.Value(codes, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is readonly StepCode[] {
    return Array.isArray(value);
  }

  shrink(codes: readonly StepCode[]): fc.Stream<fc.Value<readonly StepCode[]>> {
    return fc.stream(shorter(codes));
  }
}

/** Without a half, a quarter, and so on down to single steps. */
function* shorter(codes: readonly StepCode[]): IterableIterator<fc.Value<readonly StepCode[]>> {
  for (let part = codes.length; part >= 1; part = Math.floor(part / 2)) {
    for (let from = 0; from < codes.length; from += part) {
      const kept = [...codes.slice(0, from), ...codes.slice(from + part)];
      yield new fc.Value<readonly StepCode[]>(kept, undefined);
    }
  }
}

/** A bio to be sent. `at` and `length` are drawn, and mean what the range has room for. */
export interface BioStep {
  readonly kind: "bio";
  readonly op: BioOp;
  readonly flags: number;
  readonly isFlush: boolean;
  readonly device: number;
  readonly at: number;
  readonly sectors: Sectors;
  /** Pieces of memory. */
  readonly pieces: number;
}

/** A device is suspended, perhaps gets its table anew, and is resumed. */
export interface AdminStep {
  readonly kind: "admin";
  readonly device: number;
  readonly isNoflush: boolean;
  readonly isReload: boolean;
}

export type Step = BioStep | AdminStep;

const OPS: readonly (BioOp | "flush" | "admin")[] = [
  ...[BioOp.Write, BioOp.Write, BioOp.Write, BioOp.Write, BioOp.Write, BioOp.Write],
  ...[BioOp.Read, BioOp.Read, BioOp.Read, BioOp.Read, BioOp.Read, BioOp.Read],
  ...[BioOp.Discard, BioOp.WriteZeroes, "flush" as const, "admin" as const],
];
/** Of those drawn, one of so many is really a command; else it is a read. */
const ADMIN_ONE_OF = 4;
const WRITE_FLAGS = [0, 0, 0, 0, 0, BioFlag.Fua, BioFlag.Preflush, BioFlag.Preflush | BioFlag.Fua];
const SECTORS_MAX = 24;

/** Reads a step: four bits for what is done, the others for where and how. */
export function readStep(code: StepCode): Step {
  const what = OPS[code & 15] ?? BioOp.Read;
  const device = (code >>> 4) & 15;
  const at = (code >>> 8) & 4095;
  const size = (code >>> 20) & 63;
  const how = code >>> 26;
  if (what === "admin" && how % ADMIN_ONE_OF === 0) {
    const isReload = (how & 4) !== 0;
    return { kind: "admin", device: at, isNoflush: (how & 8) !== 0, isReload };
  }
  const op = what === "admin" ? BioOp.Read : what === "flush" ? BioOp.Write : what;
  return {
    kind: "bio",
    op,
    flags: op === BioOp.Write ? (WRITE_FLAGS[how & 7] ?? 0) : 0,
    isFlush: what === "flush",
    device,
    at,
    // Short ones more often.
    sectors: 1 + (size % (1 + (size % SECTORS_MAX))),
    pieces: 1 + ((how >>> 3) % 3),
  };
}
