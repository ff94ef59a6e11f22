import { BioOp } from "@blkstack/bio";
import { bounce } from "@blkstack/dm-bounce";
import { delay } from "@blkstack/dm-delay";
import { linear } from "@blkstack/dm-linear";
import { striped } from "@blkstack/dm-striped";
import { throttle } from "@blkstack/dm-throttle";
import { Throttle } from "@blkstack/throttle";
import fc from "fast-check";
import type { StackPart } from "../stack-part.ts";
import { remapped, shifted } from "./remapped.ts";
import { belowAt, numberAt, onRange } from "./words.ts";

const ZEROING: readonly BioOp[] = [BioOp.Discard, BioOp.WriteZeroes];

export const linearPart: StackPart = {
  name: "linear",
  type: linear,
  takes: ZEROING,
  isSolid: true,
  lines: fc.constant(onRange()),
  model: (setting) => shifted(belowAt(setting, 0), numberAt(setting, 1)),
};

export const stripedPart: StackPart = {
  name: "striped",
  type: striped,
  takes: ZEROING,
  isSolid: true,
  lines: fc
    .record({ count: fc.integer({ min: 1, max: 3 }), chunk: fc.integer({ min: 1, max: 8 }) })
    .map(({ count, chunk }) => ({
      granuleSectors: count * chunk,
      needs: ({ sizeSectors }) =>
        Array.from({ length: count }, () => ({ sectors: sizeSectors / count })),
      words: (below) => [
        count,
        chunk,
        ...below.flatMap(({ name, startSector }) => [name, startSector]),
      ],
    })),
  model(setting) {
    const [count, chunkSectors] = [numberAt(setting, 0), numberAt(setting, 1)];
    const stripes = Array.from({ length: count }, (_, index) => ({
      device: belowAt(setting, 2 + 2 * index),
      start: numberAt(setting, 3 + 2 * index),
    }));
    return remapped(
      (sector) => {
        const chunk = Math.floor(sector / chunkSectors);
        const stripe = stripes[chunk % count];
        if (stripe === undefined) throw new RangeError("a line has no stripes");
        const row = Math.floor(chunk / count);
        const within = sector % chunkSectors;
        return { device: stripe.device, sector: stripe.start + row * chunkSectors + within };
      },
      stripes.map(({ device }) => device),
    );
  },
};

/** A millisecond is waited for, for real, so that most lines wait for none. */
export const delayPart: StackPart = {
  name: "delay",
  type: delay,
  takes: [BioOp.Discard],
  isSolid: true,
  lines: fc.constantFrom("0", "0", "0", "1").map((delayMs) => onRange([delayMs])),
  model: (setting) => shifted(belowAt(setting, 0), numberAt(setting, 1)),
};

export const bouncePart: StackPart = {
  name: "bounce",
  type: bounce,
  takes: ZEROING,
  isSolid: true,
  lines: fc
    .record({ align: fc.constantFrom(1, 512, 4096), pool: fc.constantFrom(64, 2, 1) })
    .map(({ align, pool }) => onRange([4, "align", align, "pool", pool])),
  model: (setting) => shifted(belowAt(setting, 0), numberAt(setting, 1)),
};

/** Groups have no limits here: what a limit holds back, and for how long, is no question of data. */
export const throttlePart: StackPart = {
  name: "throttle",
  type: throttle,
  services({ scheduler, memory, submitter }, lines) {
    const groups = new Throttle({ scheduler, memory, submitter });
    for (const name of new Set(lines.map((words) => words[2] ?? ""))) groups.addGroup(name);
    return [groups];
  },
  takes: ZEROING,
  isSolid: true,
  lines: fc.constantFrom("one", "other").map((group) => onRange([group])),
  model: (setting) => shifted(belowAt(setting, 0), numberAt(setting, 1)),
};
