import type { Bytes } from "@blkstack/bio";
import type { Request } from "./request.ts";
import { Command, CommandFlag, ReplyError, TransmissionFlag } from "./wire.ts";

/** Flags that a command may carry. FUA means something to writes only; elsewhere it is borne. */
const FLAGS_OF_COMMAND: readonly (number | undefined)[] = [
  /* Read */ CommandFlag.Fua,
  /* Write */ CommandFlag.Fua,
  /* Disconnect */ undefined,
  /* Flush */ CommandFlag.Fua,
  /* Trim */ CommandFlag.Fua,
  /* Cache */ undefined,
  /* WriteZeroes */ CommandFlag.Fua | CommandFlag.NoHole,
];

/** The export as it was described to the client. */
export interface CheckedExport {
  readonly sizeBytes: Bytes;
  readonly flags: number;
  readonly requestBytesMax: Bytes;
}

/** What is wrong with a request before anything is done for it. */
export function checkRequest(request: Request, described: CheckedExport): ReplyError {
  const { command } = request;
  const known = FLAGS_OF_COMMAND[command];
  if (known === undefined || (request.flags & ~known) !== 0) return ReplyError.Invalid;
  if (command === Command.Flush) return ReplyError.Ok;
  const changes = command !== Command.Read;
  if (changes && (described.flags & TransmissionFlag.ReadOnly) !== 0) return ReplyError.Perm;
  if (command === Command.Trim && (described.flags & TransmissionFlag.SendTrim) === 0) {
    return ReplyError.Invalid;
  }
  // An offset beyond 2^53 is no exact number, but far beyond any end, and that is all it is asked.
  if (request.offsetBytes > described.sizeBytes - request.lengthBytes) {
    return command === Command.Write || command === Command.WriteZeroes
      ? ReplyError.NoSpace
      : ReplyError.Invalid;
  }
  if (command === Command.Read && request.lengthBytes > described.requestBytesMax) {
    return ReplyError.Invalid;
  }
  return ReplyError.Ok;
}
