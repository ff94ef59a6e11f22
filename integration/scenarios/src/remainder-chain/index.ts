import { BioOp } from "@blkstack/bio";
import { frontClone, remainderClone, type SplitPolicy } from "@blkstack/device-mapper";
import { allFail } from "@blkstack/memory";
import type { Scenario, World } from "@blkstack/explorer";
import { DmSetting } from "../dm/setting.ts";
import { scenarioOf, type Story } from "../story.ts";

/** As many bios for cutting as there are in reserve. */
const SPLIT_POOL_SIZE = 2;
/** With so many pieces or fewer the reserve suffices for each rest. */
const PIECES_MAX = SPLIT_POOL_SIZE + 1;

/** How many pieces are tried. */
export const PIECES = [2, 3, 4, 5, 6] as const;

const POLICIES: readonly SplitPolicy[] = [frontClone, remainderClone];

/** The first proposal of 2016: who cuts off the rest needs all of the rests at once. */
export const remainderChain: Scenario = scenarioOf(
  "remainder-chain",
  "a bio of many pieces, two bios in reserve for cutting, and no memory",
  Object.fromEntries(POLICIES.flatMap((policy) => PIECES.map((pieces) => story(policy, pieces)))),
);

function story(policy: SplitPolicy, pieces: number): [string, Story] {
  const isStuck = policy === remainderClone && pieces > PIECES_MAX;
  const told = policy === remainderClone ? "the rest is cut off" : "the front is cut off";
  return [
    `${policy.name}-${String(pieces)}`,
    {
      expect: isStuck ? "DEADLOCK" : "ok",
      summary: `${String(pieces)} pieces, ${told}`,
      strategy: "dpor",
      build: (world) => build(world, policy, pieces),
    },
  ];
}

async function build(world: World, splitPolicy: SplitPolicy, pieces: number): Promise<void> {
  const options = { splitPolicy, splitPoolSize: SPLIT_POOL_SIZE, poolSize: 8, isShortOfBios: true };
  const setting = new DmSetting(world, options);
  setting.disk("sda");
  const lines = Array.from({ length: pieces }, (_, index) => {
    const begin = String(8 * index);
    return `${begin} 8 linear sda ${begin}`;
  });
  const device = await setting.create("top", ...lines);
  setting.memory.faultPlan = allFail;
  setting.spawn("writer", { device, op: BioOp.Write, sector: 0, sectors: 8 * pieces });
}
