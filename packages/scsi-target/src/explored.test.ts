import { type Page, PAGE_BYTES } from "@blkstack/bio";
import { exploreTest, type World } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { describe, it } from "vitest";
import { TOP_FRAME } from "../test/bounced.ts";
import { cdb10, cdb16, FUA } from "../test/cdbs.ts";
import { bytesOf, entry, NOTHING_MISSING, Stand } from "../test/setting.ts";
import { Opcode, ScsiStatus } from "./index.ts";

/** More than a page, so that a part of what it takes may be had and the rest not. */
const BLOCKS = 9;
const BYTES = BLOCKS * 512;

/** Memory for so much: as a device likes it, at odd places, or beyond its reach. */
const KINDS = {
  aligned: (fill: number) => [entry(memory(fill, 4), 512, BYTES)],
  odd: (fill: number) => [entry(memory(fill, 8), 3, 700), entry(memory(fill, 16), 0, BYTES - 700)],
  high: (fill: number) => [entry(memory(fill, TOP_FRAME + 1), 0, BYTES)],
};

function memory(fill: number, frame: number): Page {
  return { bytes: new Uint8Array(2 * PAGE_BYTES).fill(fill), frame };
}

/** Two write at once, and each reads what it wrote, while memory fails to be there. */
function twoWriters(world: World, kinds: readonly (keyof typeof KINDS)[]) {
  const stand = new Stand(world.scheduler, {
    bounced: ["frames", 1],
    hasVolatileCache: true,
    sizeSectors: 64,
  });
  stand.memory.faultPlan = choosesFailures(world.scheduler, 2);
  const problems: string[] = [];
  const writer = (kind: keyof typeof KINDS, index: number) => async (task: Task) => {
    const wish = { lba: 16 * index, blocks: BLOCKS };
    const dataOut = KINDS[kind](index + 1);
    const cdb = cdb10(Opcode.Write10, { ...wish, flags: FUA });
    const written = await stand.scsi.execute({ cdb, dataOut }, task);
    const dataIn = KINDS[kind](0xee);
    const read = await stand.scsi.execute({ cdb: cdb16(Opcode.Read16, wish), dataIn }, task);
    for (const { status } of [written, read]) {
      if (status !== ScsiStatus.Good && status !== ScsiStatus.Busy) problems.push("refused");
    }
    const isRight = bytesOf(dataIn).every((byte) => byte === index + 1);
    if (written.status === ScsiStatus.Good && read.status === ScsiStatus.Good && !isRight) {
      problems.push(`writer ${String(index)} reads something else`);
    }
  };
  return {
    tasks: Object.fromEntries(
      kinds.map((kind, index) => [`writer ${String(index)}`, writer(kind, index)]),
    ),
    check: () => {
      const missing = JSON.stringify(stand.missing);
      return missing === JSON.stringify(NOTHING_MISSING) ? problems : [...problems, missing];
    },
  };
}

describe("two who write and read while any two allocations fail", () => {
  it.each([
    ["aligned", "odd"],
    ["odd", "odd"],
    ["high", "high"],
    ["odd", "high"],
  ] as const)("come to an end, and nothing is lost (%s, %s)", (first, second) =>
    exploreTest((world) => twoWriters(world, [first, second]), {
      strategy: "random",
      executions: 400,
    })(),
  );

  it(
    "one who does, under every schedule",
    exploreTest((world) => twoWriters(world, ["odd"]), { strategy: "dpor", require: "proof" }),
  );
});
