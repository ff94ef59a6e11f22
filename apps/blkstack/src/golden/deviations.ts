/**
 * Where this implementation differs from the recordings on purpose, or reads them in a way that
 * needs a reason. Everything else that differs is a difference.
 */

const SECTOR_BYTES = 512;

/** Why, and in which results, a case is to come out otherwise than it was recorded. */
export interface Deviation {
  readonly why: string;
  /** Everything that does not match must be the same in any case. */
  readonly results: RegExp;
}

const HEADER_ORDER =
  "the recorded header was on its way before the area that it speaks of was durable, and did not " +
  "wait to be durable itself";
/** Headers, the first chunk of a COW device, and nothing else. */
const NEW_HEADER =
  /: what the log on logc promises: recorded \["write 0\+8 [^"]*"(?:,"write 0\+8 [^"]*")?\], here \[(?:"(?:flush|fua 0\+8 [^"]*)",?)+\]$/;

/** Cases in which the recorded kernel damages data: what it read afterwards is not to come here. */
export const DEVIATIONS: ReadonlyMap<string, Deviation> = new Map([
  [
    "h-unaligned-begin",
    {
      why:
        "the recorded snapshot began inside a chunk, was cut there and mapped by whole chunks, so " +
        "that writes landed in the chunk of another exception",
      results: /: (?:data|status|image of \w+): recorded /,
    },
  ],
  [
    "i-flakey",
    {
      why:
        "the recorded kernel knew no error_reads, and changed no byte of what was read although " +
        "it was told to",
      results:
        /step (?:73|75) \(read \/dev\/mapper\/fcr\): data: |step 15[123] \((?:create|status|remove) t\): /,
    },
  ],
  ["p-order-merge", { why: HEADER_ORDER, results: NEW_HEADER }],
  ["p-order-snapshot", { why: HEADER_ORDER, results: NEW_HEADER }],
  [
    "j-discard-partial-zeroes",
    {
      why: "the recorded discard crossed a chunk's end and zeroed another chunk's exception",
      results: /: (?:data|image of \w+): recorded /,
    },
  ],
  [
    "j-discard-partial-passdown",
    {
      why:
        "the recorded discard crossed a chunk's end and zeroed another chunk's exception, and threw " +
        "away what the origin's other snapshot still had to show",
      results: /: (?:data|image of \w+): recorded |status snap2\): status: recorded /,
    },
  ],
]);

/** Why a log is compared by what it promises where it is not the same to the byte. */
export const LOG_FREEDOM =
  "writes that no flush divides end in another order here, and the flush that goes before a write " +
  "does not have that write's place and FUA";

/**
 * Tables and names were given to a shell on their way: it took backslashes off tables (the only one
 * recorded, `5\ 6`, came out as two arguments) and quotes off names. What is replayed is what
 * arrived.
 */
export function asArrived(tableLine: string): string {
  return tableLine.replaceAll("\\", "");
}

export function nameAsArrived(name: string): string {
  return name.replace(/^'(?<inner>.*)'$/, "$<inner>");
}

/**
 * A limit as it was meant: Linux 6.1 gives the discard granularity of a snapshot as its number of
 * sectors, where all others, and who reads it, count bytes.
 */
export function asBytes(limit: string, value: string, isSnapshot: boolean): string {
  const isInSectors = limit === "discard_granularity" && isSnapshot && value !== "0";
  return isInSectors ? String(Number(value) * SECTOR_BYTES) : value;
}

/** What `dio info` tells of a device that `QueueLimits` does not know. */
export const UNKNOWN_LIMITS: ReadonlyMap<string, string> = new Map([
  ["rotational", "a disk in memory does not turn, nor does what stands on it"],
  ["discard_zeroes_data", "always 0 since Linux 4.12"],
  ["write_same_max_bytes", "always 0 since Linux 5.18"],
]);

/** The recorded kernel says nothing before a store is full, nor when a merge is done. */
export const OWN_LOG_LINES = /^(?:the store is \d+ % full: |the merge has ended$)/;
