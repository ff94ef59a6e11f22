import { bioEndio, BioOp, bioViews, type Sectors } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";

/** Of the line in front of the one under test, where there is one: whole blocks of any disk. */
export const FILLER_SECTORS: Sectors = 16;

/** Fills the table in front of the line under test, takes everything, and does nothing. */
export const filler: TargetType = defineTarget({
  name: "suite-filler",
  version: [1, 0, 0],
  apiVersion: 1,
  create: () => ({
    discardBios: 1,
    writeZeroesBios: 1,
    secureEraseBios: 1,
    map(bio) {
      if (bio.op === BioOp.Read) for (const memory of bioViews(bio)) memory.fill(0);
      bioEndio(bio);
      return MapResult.Submitted;
    },
    status: () => "",
  }),
});
