import { BioList, BioOp, cloneBio, Bio } from "@blkstack/bio";
import { FindingError, type World } from "@blkstack/explorer";
import { GFP_NOIO } from "@blkstack/task";
import { type SetClass, Setting } from "./setting.ts";
import { PromptDisk } from "./stack.ts";

/** A device is closed while a bio still waits for the rescuer. */
export function closing(world: World, Kind?: SetClass): void {
  const setting = new Setting(world);
  const set = setting.bioSet({ name: "md0-split", poolSize: 1 }, Kind);
  const disk = new PromptDisk("sda", setting.disk);
  let isClosed = false;
  world.spawn("closer", async (task) => {
    const piece = await set.alloc(GFP_NOIO, 0, task);
    if (piece === null || set.rescuer === null) throw new FindingError("BUG", "nothing to rescue");
    cloneBio(new Bio(), piece);
    piece.op = BioOp.Write;
    piece.device = disk;
    piece.endIo = (ended) => {
      ended.put();
    };
    const parked = new BioList();
    parked.add(piece);
    await set.rescuer.rescue(parked, task);
    await set.destroy(task);
    isClosed = true;
  });
  world.atEnd(() => (isClosed ? [] : ["the set was not closed"]));
}
