import type { Sectors } from "@blkstack/bio";
import fc from "fast-check";
import type { StackLine, StackPart } from "./stack-part.ts";

/** What a need of a line may be met with, as far as it suits. */
export interface BelowPlan {
  /** Null: a disk. */
  readonly device: DevicePlan | null;
  /** Which of the disks that lines share; not for those who want a whole one. */
  readonly disk: number;
  /** Sectors in front that nobody uses. */
  readonly gapSectors: Sectors;
}

export interface LinePlan {
  readonly part: StackPart;
  readonly line: StackLine;
  /** How much of the device it gets, beside the other lines. */
  readonly weight: number;
  /** Needs are met with these in turn. */
  readonly below: readonly BelowPlan[];
}

export interface DevicePlan {
  readonly lines: readonly LinePlan[];
}

/** A stack, before it is laid out. */
export interface StackPlan {
  /** The least size of the device on top. */
  readonly sizeSectors: Sectors;
  readonly top: DevicePlan;
  /** Which device there is, of `devicesOf` the top; all that stands upon it is left out. */
  readonly root: number;
}

/** A device and all that it stands on, each behind those that it stands on. */
export function devicesOf(device: DevicePlan): readonly DevicePlan[] {
  const below = device.lines.flatMap((line) => line.below);
  return [
    ...below.flatMap(({ device: lower }) => (lower === null ? [] : devicesOf(lower))),
    device,
  ];
}

/** How many disks there are that lines share. */
export const SHARED_DISKS = 3;
const LINES_MAX = 5;
const LINES_BELOW_MAX = 3;
/** Of ten things that lines stand on, so many are devices, where there may be more. */
const DEVICES_OF_TEN = 4;

export interface PlanOptions {
  readonly parts: readonly StackPart[];
  /** How many devices stand upon each other, at most. */
  readonly levels: number;
  /** The device on top may become larger where lines have to be of whole granules. */
  readonly sizeSectorsMax: Sectors;
}

/** Stacks at random. They shrink to one line on one disk. */
export function stackPlans({
  parts,
  levels,
  sizeSectorsMax,
}: PlanOptions): fc.Arbitrary<StackPlan> {
  const linesOf = parts.flatMap((part) =>
    part.lines === null ? [] : [part.lines.map((line) => ({ part, line }))],
  );
  const deviceOf = fc.memo((level): fc.Arbitrary<DevicePlan> => {
    const disk = belowPlan(fc.constant(null));
    const below =
      level <= 1
        ? disk
        : fc.oneof(
            { withCrossShrink: true },
            { arbitrary: disk, weight: 10 - DEVICES_OF_TEN },
            { arbitrary: belowPlan(deviceOf(level - 1)), weight: DEVICES_OF_TEN },
          );
    const line = fc
      .tuple(
        fc.oneof({ withCrossShrink: true }, ...linesOf),
        fc.integer({ min: 1, max: 8 }),
        fc.array(below, { minLength: 1, maxLength: 2 }),
      )
      .map(([chosen, weight, belows]): LinePlan => ({ ...chosen, weight, below: belows }));
    const maxLength = level === levels ? LINES_MAX : LINES_BELOW_MAX;
    return fc.array(line, { minLength: 1, maxLength, size: "max" }).map((lines) => ({ lines }));
  });
  return fc.record({
    root: new Root(),
    sizeSectors: fc.integer({ min: 1, max: sizeSectorsMax }),
    top: deviceOf(levels),
  });
}

/** More than the plan of any stack has, which stands for its top. */
const ROOT_TOP = 20;

/** Always the top; shrinks to what lies below, the lowest first. */
class Root extends fc.Arbitrary<number> {
  generate(): fc.Value<number> {
    return new fc.Value(ROOT_TOP, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is number {
    return typeof value === "number";
  }

  shrink(root: number): fc.Stream<fc.Value<number>> {
    const lower = Array.from({ length: root }, (_, index) => new fc.Value(index, undefined));
    return fc.Stream.of(...lower);
  }
}

function belowPlan(device: fc.Arbitrary<DevicePlan | null>): fc.Arbitrary<BelowPlan> {
  return fc.record({
    device,
    disk: fc.nat({ max: SHARED_DISKS - 1 }),
    gapSectors: fc.nat({ max: 9 }),
  });
}
