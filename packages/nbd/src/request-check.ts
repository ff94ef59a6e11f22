import type { Bytes } from "@blkstack/bio";
import { requestErrorText } from "./error-text.ts";
import type { Request } from "./request.ts";
import { isFilter } from "./status-filter.ts";
import { Command, CommandFlag, ReplyError, TransmissionFlag } from "./wire.ts";

/** Flags that a command may carry. FUA means something to writes only; elsewhere it is borne. */
const FLAGS_OF_COMMAND: readonly (number | undefined)[] = [
  /* Read */ CommandFlag.Fua | CommandFlag.DontFragment,
  /* Write */ CommandFlag.Fua,
  /* Disconnect */ undefined,
  /* Flush */ CommandFlag.Fua,
  /* Trim */ CommandFlag.Fua,
  /* Cache */ CommandFlag.Fua,
  /* WriteZeroes */ CommandFlag.Fua | CommandFlag.NoHole | CommandFlag.FastZero,
  /* BlockStatus */ CommandFlag.Fua | CommandFlag.RequestOne,
];

/** The export as it was described to the client. */
export interface CheckedExport {
  readonly sizeBytes: Bytes;
  readonly flags: number;
  readonly requestBytesMax: Bytes;
  /** Of how many contexts the client has chosen that BLOCK_STATUS is to tell. */
  readonly contextCount: number;
  /** Whether a flag says which requests bring a payload. */
  readonly isExtended: boolean;
  /** What offsets and lengths must be multiples of. */
  readonly blockBytes: Bytes;
}

/** Why a request is not served. */
export interface Refusal {
  readonly error: ReplyError;
  readonly text: Buffer;
}

const UNKNOWN_COMMAND = refusal(ReplyError.Invalid, "there is no such command here");
const UNKNOWN_FLAG = refusal(ReplyError.Invalid, "the command does not know this flag");
const READ_ONLY = refusal(ReplyError.Perm, "the export is read-only");
const NO_TRIM = refusal(ReplyError.Invalid, "the export knows no trim");
const NO_ZEROES = refusal(ReplyError.Invalid, "the export knows no writing of zeroes");
const NO_CACHE = refusal(ReplyError.Invalid, "the export knows no cache command");
const PAST_END = refusal(ReplyError.Invalid, "the range ends behind the end of the export");
const NO_SPACE = refusal(ReplyError.NoSpace, "there is no space behind the end of the export");
const NO_PAYLOAD = refusal(ReplyError.Invalid, "a write must say that its length is its payload's");
const ODD_PAYLOAD = refusal(ReplyError.Invalid, "the command takes no payload");
export const BAD_FILTER: Refusal = refusal(
  ReplyError.Invalid,
  "a status of other contexts than were chosen, or of one twice",
);
const NO_CONTEXT = refusal(ReplyError.Invalid, "no metadata context was chosen for this export");
const NO_LENGTH = refusal(ReplyError.Invalid, "the range is empty");
const MISALIGNED = refusal(ReplyError.Invalid, "the range is not one of whole blocks");
/** Of a server that stops. */
export const SHUTDOWN: Refusal = refusal(ReplyError.Shutdown, "the server stops");
const TOO_LONG = refusal(ReplyError.Invalid, "the read is longer than the largest block size");

/** What is wrong with a request before anything is done for it; null: nothing is. */
export function checkRequest(request: Request, described: CheckedExport): Refusal | null {
  const { command, flags } = request;
  const known = FLAGS_OF_COMMAND[command];
  if (known === undefined) return UNKNOWN_COMMAND;
  const flagsKnown = described.isExtended ? known | CommandFlag.PayloadLength : known;
  if ((flags & ~flagsKnown) !== 0) return UNKNOWN_FLAG;
  if (described.isExtended && !isPayloadRight(request, described)) {
    return command === Command.Write ? NO_PAYLOAD : ODD_PAYLOAD;
  }
  if ((flags & CommandFlag.DontFragment) !== 0 && !can(described, "SendDontFragment")) {
    return UNKNOWN_FLAG;
  }
  if ((flags & CommandFlag.FastZero) !== 0 && !can(described, "SendFastZero")) return UNKNOWN_FLAG;
  if (command === Command.Flush) return null;
  if (command === Command.BlockStatus) {
    if (described.contextCount === 0) return NO_CONTEXT;
    if (request.payloadBytes > 0) {
      // Of the rest the payload will tell.
      return isFilter(request.payloadBytes, described.contextCount) ? null : BAD_FILTER;
    }
  } else if (command === Command.Cache) {
    if (!can(described, "SendCache")) return NO_CACHE;
  } else if (command !== Command.Read && can(described, "ReadOnly")) return READ_ONLY;
  if (command === Command.Trim && !can(described, "SendTrim")) return NO_TRIM;
  if (command === Command.WriteZeroes && !can(described, "SendWriteZeroes")) return NO_ZEROES;
  // An offset beyond 2^53 is no exact number, but far beyond any end, and that is all it is asked.
  if (request.offsetBytes > described.sizeBytes - request.lengthBytes) {
    return command === Command.Write || command === Command.WriteZeroes ? NO_SPACE : PAST_END;
  }
  // The protocol leaves open what this means. Who asks for nothing has made a mistake, and is told.
  if (request.lengthBytes === 0) return NO_LENGTH;
  if (described.blockBytes > 1 && !isAligned(request, described)) return MISALIGNED;
  if (command === Command.Read && request.lengthBytes > described.requestBytesMax) return TOO_LONG;
  return null;
}

/** The export may end inside a block, and then so may a request. */
function isAligned(request: Request, { blockBytes, sizeBytes }: CheckedExport): boolean {
  const { offsetBytes, lengthBytes } = request;
  if (offsetBytes % blockBytes !== 0) return false;
  return lengthBytes % blockBytes === 0 || offsetBytes + lengthBytes === sizeBytes;
}

/** Whether the request says that it brings a payload when it has to, and only then. */
function isPayloadRight({ command, flags }: Request, described: CheckedExport): boolean {
  const hasPayload = (flags & CommandFlag.PayloadLength) !== 0;
  if (command === Command.Write) return hasPayload;
  if (!hasPayload) return true;
  return command === Command.BlockStatus && can(described, "BlockStatusPayload");
}

/** The first byte of a request that lies behind the end of the export; below 0: none, or unknown. */
export function firstBytePastEnd(request: Request, described: CheckedExport): Bytes {
  const { offsetBytes, lengthBytes } = request;
  const end = offsetBytes + lengthBytes;
  if (!Number.isSafeInteger(end) || end <= described.sizeBytes || lengthBytes === 0) return -1;
  return Math.max(offsetBytes, described.sizeBytes);
}

function can(described: CheckedExport, flag: keyof typeof TransmissionFlag): boolean {
  return (described.flags & TransmissionFlag[flag]) !== 0;
}

function refusal(error: ReplyError, text: string): Refusal {
  return { error, text: requestErrorText(text) };
}
