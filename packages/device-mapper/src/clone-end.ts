import { type Bio, BioStatus, invariant } from "@blkstack/bio";
import { EndIoResult } from "@blkstack/block";
import { targetIoOf } from "./target-io.ts";

/** The end of every clone: the target sees it first, then the account. Interrupt context. */
export function endClone(clone: Bio): void {
  const { io, target } = targetIoOf(clone);
  invariant(io !== null && target !== null, "a clone ended that was not mapped");
  let { status } = clone;
  const driver = target.target;
  if (driver.endIo !== undefined) {
    const result = driver.endIo(clone);
    if (result === EndIoResult.Incomplete) return;
    status = result === EndIoResult.Requeue ? BioStatus.DmRequeue : clone.status;
  }
  io.cloneEnded(clone, status);
}
