import { type Bio, bioEndio, BioFlag, BioOp } from "@blkstack/bio";
import { defineTarget, MapResult, type Target, type TargetType } from "@blkstack/block";

/** Reads as zeroes and forgets what is written, as `/dev/zero` does. */
export const zero: TargetType = defineTarget({
  name: "zero",
  version: [1, 1, 0],
  apiVersion: 1,
  create(context) {
    if (context.args.length > 0) throw context.error("No arguments required");
    return new Zero();
  },
});

class Zero implements Target {
  readonly takesNoWait = true;

  /** Waits: never. */
  map(bio: Bio): MapResult {
    if (bio.op === BioOp.Read) {
      // Reading ahead what is known anyway would only fill a cache.
      if ((bio.flags & BioFlag.ReadAhead) !== 0) return MapResult.Kill;
      fillWithZeroes(bio);
    } else if (bio.op !== BioOp.Write) {
      return MapResult.Kill;
    }
    bioEndio(bio);
    return MapResult.Submitted;
  }

  status(): string {
    return "";
  }
}

function fillWithZeroes(bio: Bio): void {
  for (let vec = bio.currentVec; bio.sizeBytes > 0 && vec !== undefined; vec = bio.currentVec) {
    const { currentBytes } = bio;
    const from = vec.offset + bio.vecDoneBytes;
    vec.page.bytes.fill(0, from, from + currentBytes);
    bio.advance(currentBytes);
  }
}
