import { BioStatus, type Bytes } from "@blkstack/bio";
import { errorCode, statusOfError } from "./errno.ts";
import type { Moved } from "./files.ts";

/** How often one bio may be told to try again; more often than that it never will succeed. */
const MAX_RETRIES = 100;

/** Whether a call that failed with `error` is worth repeating, after so many repetitions. */
export function mayRetry(error: unknown, retries: number): boolean {
  if (retries >= MAX_RETRIES) return false;
  const code = errorCode(error);
  return code === "EINTR" || code === "EAGAIN";
}

/**
 * Repeats an asynchronous call until all `lengthBytes` are moved, for each may move fewer than it
 * was asked. `call` is told how many are done.
 */
export function moveAll(
  lengthBytes: Bytes,
  call: (doneBytes: Bytes, moved: Moved) => void,
  finish: (status: BioStatus) => void,
): void {
  let doneBytes = 0;
  let retries = 0;
  const moved: Moved = (error, count) => {
    if (error !== null) {
      if (!mayRetry(error, retries)) {
        finish(statusOfError(error));
        return;
      }
      retries += 1;
    } else if (count === 0) {
      // The file is shorter than it was when it was opened: somebody cut it.
      finish(BioStatus.IoError);
      return;
    } else {
      doneBytes += count;
    }
    if (doneBytes === lengthBytes) finish(BioStatus.Ok);
    else call(doneBytes, moved);
  };
  call(0, moved);
}
