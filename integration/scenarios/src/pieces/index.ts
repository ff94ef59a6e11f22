import { bioEndio, BioOp } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import { frontClone, type SplitPolicy } from "@blkstack/device-mapper";
import type { Expectation, Scenario, World } from "@blkstack/explorer";
import { CountingDisk } from "../dm/counting-disk.ts";
import { DmSetting } from "../dm/setting.ts";
import { scenarioOf, type Story } from "../story.ts";
import * as mutants from "./mutants.ts";

const SECTORS = 16;
/** A bio of so many pieces overflows a stack that has frames for each. */
const MANY_PIECES = 10_000;

/** What can be wrong with cutting a bio into pieces, although each piece arrives somewhere. */
export const pieces: Scenario = scenarioOf(
  "pieces",
  "a write over several pieces: every sector once, and the end after the last",
  {
    "front-clone": cutting(frontClone, "ok", "the front gets a bio of its own"),
    unchained: cutting(
      mutants.unchained,
      "WRONG",
      "M13: the original ends although the front is still under way",
    ),
    "planned-length": cutting(
      mutants.plannedLength,
      "WRONG",
      "M14: what a target did not accept is not written",
    ),
    "sectors-for-bytes": cutting(
      mutants.sectorsForBytes,
      "WRONG",
      "M15: goes on as many bytes further as it should sectors",
    ),
    "loops-and-resubmits": cutting(
      mutants.loopsAndResubmits,
      "WRONG",
      "M16: the second half is written twice",
    ),
    "many-pieces": manyPieces(frontClone, "ok", "10 000 pieces, each submitted to the device"),
    "many-pieces-recursive": manyPieces(
      mutants.recursive,
      "ERROR",
      "M17: 10 000 pieces, and a call within a call for each",
    ),
  },
);

function cutting(splitPolicy: SplitPolicy, expect: Expectation, summary: string): Story {
  return { expect, summary, strategy: "dpor", build: (world) => cut(world, splitPolicy) };
}

async function cut(world: World, splitPolicy: SplitPolicy): Promise<void> {
  const setting = new DmSetting(world, { splitPolicy, types: [reluctant] });
  const disk = new CountingDisk(world, "sda", SECTORS);
  setting.add(disk);
  const device = await setting.create("top", "0 8 reluctant sda", "8 8 linear sda 8");
  const write = setting.bio({ device, op: BioOp.Write, sector: 0, sectors: SECTORS });
  const { endIo } = write.bio;
  let isEarly = false;
  write.bio.endIo = (bio) => {
    isEarly = disk.underWay > 0;
    endIo?.(bio);
  };
  world.spawn("writer", (task) => write.submit(task), { startsAtFirstStep: true });
  world.atEnd(() => (isEarly ? ["the bio ended before its last piece"] : []));
  world.atEnd(() => disk.complaints(SECTORS));
}

function manyPieces(splitPolicy: SplitPolicy, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting = new DmSetting(world, { splitPolicy, types: [sectorwise] });
      const table = `0 ${String(MANY_PIECES)} sectorwise`;
      const device = await setting.create("top", table);
      const wish = { device, op: BioOp.Write, sector: 0, sectors: MANY_PIECES };
      setting.spawn("writer", wish);
    },
  };
}

/** Maps like `linear`, but no more than three sectors at a time. */
const reluctant: TargetType = defineTarget({
  name: "reluctant",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    const device = context.openDevice(context.args[0] ?? "");
    return {
      map(bio) {
        context.acceptPartial(bio, Math.min(3, bio.sectors));
        bio.device = device;
        return MapResult.Remapped;
      },
      status: () => "",
    };
  },
});

/** Ends each sector by itself, at once. */
const sectorwise: TargetType = defineTarget({
  name: "sectorwise",
  version: [1, 0, 0],
  apiVersion: 1,
  create: () => ({
    maxIoSectors: 1,
    map(bio) {
      bioEndio(bio);
      return MapResult.Submitted;
    },
    status: () => "",
  }),
});
