import { BioOp, cloneBio, SECTOR_BYTES } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import { frontClone, loop, type SplitPolicy } from "@blkstack/device-mapper";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { type Access, AccessMode, GFP_NOIO, type Task } from "@blkstack/task";
import { CountingDisk } from "../dm/counting-disk.ts";
import { DmSetting } from "../dm/setting.ts";
import { scenarioOf, type Story } from "../story.ts";

const SECTORS = 16;

/** M18: all pieces in one call, and nobody notes that there are several: all of the bio comes back. */
const wholeAgain: SplitPolicy = {
  name: "whole-again",
  isInPlace: false,
  async rest(mapper, io, bio, task) {
    for (let sector = bio.sector + io.pieceSectors; sector < bio.endSector;) {
      const clone = await mapper.pools.clones.alloc(GFP_NOIO, 0, task);
      if (clone === null) continue;
      cloneBio(bio, clone);
      clone.advance((sector - bio.sector) * SECTOR_BYTES);
      await mapper.mapPiece(clone, io, task);
      sector += io.pieceSectors;
    }
    io.drop();
  },
};

/** A target gives back what it has been given, and it comes again behind a new table. */
export const pushBack: Scenario = scenarioOf(
  "push-back",
  "of a write over two targets one gives its piece back while the device gets another table",
  {
    "front-clone": pushing(
      frontClone,
      "ok",
      "each piece has an account of its own, and comes back alone",
    ),
    loop: pushing(loop, "ok", "one account, and of it exactly the piece that was given back"),
    "whole-again": pushing(
      wholeAgain,
      "WRONG",
      "M18: the whole bio comes again, and what was written is written once more",
    ),
  },
);

function pushing(splitPolicy: SplitPolicy, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting: DmSetting = new DmSetting(world, {
        splitPolicy,
        isShortOfBios: true,
        types: [givingBack(() => setting.dm.get("top").isPushingBack)],
      });
      const disk = new CountingDisk(world, "sda", SECTORS);
      setting.add(disk);
      const device = await setting.createChanging("top", "0 8 linear sda 0", "8 8 giving-back sda");
      const write = setting.bio({ device, op: BioOp.Write, sector: 0, sectors: SECTORS });
      world.spawn("writer", (task) => write.submit(task));
      const { dm } = setting;
      world.spawn("administrator", async (task: Task) => {
        await dm.suspend("top", task, { noflush: true });
        await dm.load("top", `0 ${String(SECTORS)} linear sda 0`, task);
        await dm.resume("top", task);
      });
      world.atEnd(() => disk.complaints(SECTORS));
    },
  };
}

/** Maps like `linear`, but gives back what comes while its device is about to be suspended. */
function givingBack(isWanted: () => boolean): TargetType {
  return defineTarget({
    name: "giving-back",
    version: [1, 0, 0],
    apiVersion: 1,
    create(context) {
      const device = context.openDevice(context.args[0] ?? "");
      const object = { label: "whether bios are given back" };
      const look: Access = { object, mode: AccessMode.Read, label: "look whether to give back" };
      const change: Access = { object, mode: AccessMode.Write, label: "begin to give back" };
      let isGivingBack = false;
      return {
        map(bio) {
          context.scheduler.touch(look);
          if (isGivingBack) return MapResult.Requeue;
          bio.device = device;
          return MapResult.Remapped;
        },
        presuspend() {
          context.scheduler.touch(change);
          isGivingBack = isWanted();
        },
        status: () => "",
        devices: () => [{ device, startSector: 0, sizeSectors: context.sizeSectors }],
      };
    },
  });
}
