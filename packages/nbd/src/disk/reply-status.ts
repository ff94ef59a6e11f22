import { BioStatus } from "@blkstack/bio";
import { ReplyError } from "../wire.ts";

/** How a bio ends whose request was answered with an error of the protocol; 0 is none. */
export function statusOfReply(errno: number): BioStatus {
  if (errno === ReplyError.Ok) return BioStatus.Ok;
  if (errno === ReplyError.NoSpace) return BioStatus.NoSpace;
  if (errno === ReplyError.Perm) return BioStatus.ReadOnly;
  if (errno === ReplyError.NoMemory) return BioStatus.Resource;
  if (errno === ReplyError.NotSupported) return BioStatus.NotSupported;
  return BioStatus.IoError;
}
