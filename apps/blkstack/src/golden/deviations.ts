/**
 * Where this implementation differs from the recordings on purpose, or reads them in a way that
 * needs a reason. Everything else that differs is a difference.
 */

/** Cases in which the recorded kernel damages data: what it read afterwards is not to come here. */
export const DAMAGED_DATA: ReadonlyMap<string, string> = new Map(
  ["j-discard-partial-zeroes", "j-discard-partial-passdown"].map((name) => [
    name,
    "the recorded discard crossed a chunk's end and zeroed another chunk's exception",
  ]),
);

/** The results that show damaged data; exit codes, states and tables must be the same in any case. */
export const DATA_RESULT = /: (?:data|image of \w+): recorded /;

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

/** What `dio info` tells of a device that `QueueLimits` does not know. */
export const UNKNOWN_LIMITS: ReadonlyMap<string, string> = new Map([
  ["rotational", "a disk in memory does not turn, nor does what stands on it"],
  ["discard_zeroes_data", "always 0 since Linux 4.12"],
  ["write_same_max_bytes", "always 0 since Linux 5.18"],
]);
