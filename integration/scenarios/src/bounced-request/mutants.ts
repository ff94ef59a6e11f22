// Mappers that are wrong on purpose, behind the same extension points that everybody has.
import type { BioStatus } from "@blkstack/bio";
import { type Bio, bioError, BioState } from "@blkstack/bio";
import {
  type CopyRecord,
  type MapErrno,
  type Request,
  RequestMapper,
  type SgList,
} from "@blkstack/blk-map";
import type { Gfp, Task } from "@blkstack/task";

/** M11a: when a bio cannot be bounced, those behind it are forgotten. */
export class ForgetsTheTail extends RequestMapper {
  protected override release(): void {
    // And so they never go back to the heap.
  }
}

/** M11b: puts the stand-in of a bio that is not issued, and not what it stands for, nor its pages. */
export class ForgetsTheOriginal extends RequestMapper {
  protected override endUnissued(bio: Bio, status: BioStatus): void {
    if ((bio.state & BioState.Bounced) === 0) bioError(bio, status);
    else bio.put();
  }
}

/** M11c: calls back by hand, with a status that nobody has set. */
export class CallsBackByHand extends RequestMapper {
  protected override endUnissued(bio: Bio): void {
    bio.endIo?.(bio);
  }
}

/** M12: whether a read was good is what its last bio says. */
export class LastBioDecides extends RequestMapper {
  protected override noteEnd(record: CopyRecord, status: BioStatus): void {
    record.status = status;
  }
}

/** M12b: no memory to remember a copy, and no word of it. */
export class SaysNothing extends RequestMapper {
  override async mapKernSg(
    request: Request,
    list: SgList,
    gfp: Gfp,
    task: Task,
  ): Promise<MapErrno> {
    await super.mapKernSg(request, list, gfp, task);
    return 0;
  }
}
