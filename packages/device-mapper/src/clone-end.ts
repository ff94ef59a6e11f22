import { type Bio, BioStatus, invariant } from "@blkstack/bio";
import { EndIoResult, type Target } from "@blkstack/block";
import type { DmIo } from "./dm-io.ts";
import { targetIoOf } from "./target-io.ts";

// A constant of this module is part of the machine code; what is imported is looked up each time.
const OK = BioStatus.Ok;

/** The end of every clone: the target sees it first, then the account. Interrupt context. */
export function endClone(clone: Bio): void {
  const { io, target } = targetIoOf(clone);
  if (io === null || target === null) invariant(false, "a clone ended that was not mapped");
  if (target.hasEndIo) endByTarget(clone, io, target.target);
  else if (clone.status === OK && clone === io.firstClone) io.drop();
  else io.cloneEnded(clone, clone.status);
}

function endByTarget(clone: Bio, io: DmIo, target: Target): void {
  const result = target.endIo?.(clone);
  if (result === EndIoResult.Incomplete) return;
  io.cloneEnded(clone, result === EndIoResult.Requeue ? BioStatus.DmRequeue : clone.status);
}
