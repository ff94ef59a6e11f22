import { BioOp } from "@blkstack/bio";
import { type Extent, ExtentFlag, ExtentLayer } from "@blkstack/block";
import { type Exercise, perform } from "../suite/exercise.ts";
import type { RuleOfTables } from "../suite/checked-rule.ts";

export const extents: RuleOfTables = {
  name: "extents",
  says: "sectors of which it says that they are zeroes read as zeroes",
  async check(subject) {
    for (const exercise of await subject.exercises()) {
      const complaint = await complaintAbout(exercise);
      if (complaint !== null) return complaint;
    }
    return null;
  },
};

async function complaintAbout({ rig }: Exercise): Promise<string | null> {
  const { device, begin, sizeSectors } = rig;
  let sector = 0;
  while (sector < sizeSectors) {
    const asked = sizeSectors - sector;
    const extent: Extent = { sectors: asked, flags: 0, layer: ExtentLayer.Only };
    device.findExtent(begin + sector, extent);
    const { sectors } = extent;
    const place = `sector ${String(sector)}`;
    if (!(sectors >= 1 && sectors <= asked)) {
      return `asked of ${String(asked)} from ${place} on, it answers of ${String(sectors)}`;
    }
    if ((extent.flags & ExtentFlag.Zero) !== 0) {
      const { sent } = await perform(rig, { op: BioOp.Read, sector, sectors });
      const at = sent.bytes.findIndex((byte) => byte !== 0);
      const last = `${String(sector)}+${String(sectors)}`;
      if (at >= 0) return `it says that ${last} are zeroes, and byte ${String(at)} of them is not`;
    }
    sector += sectors;
  }
  return null;
}
