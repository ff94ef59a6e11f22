import { BioStatus } from "@blkstack/bio";
import { ReplyError } from "./wire.ts";

/** The protocol's word for how a bio ended; what it has no word for is an I/O error. */
export function replyErrorOf(status: BioStatus): ReplyError {
  if (status === BioStatus.Ok) return ReplyError.Ok;
  if (status === BioStatus.NoSpace) return ReplyError.NoSpace;
  if (status === BioStatus.ReadOnly) return ReplyError.Perm;
  if (status === BioStatus.Resource) return ReplyError.NoMemory;
  if (status === BioStatus.NotSupported) return ReplyError.NotSupported;
  return ReplyError.Io;
}
