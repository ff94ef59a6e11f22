import { getSystemErrorName } from "node:util";
import type { ByteRange, RangeDone } from "./file-calls.ts";

/** `fallocate`, in the call or on a thread. */
export interface RangeCall {
  (fd: number, mode: number, offset: number, length: number): number;
  async(
    fd: number,
    mode: number,
    offset: number,
    length: number,
    done: (error: Error | null, result: number) => void,
  ): void;
}

interface Waiting {
  readonly fd: number;
  readonly mode: number;
  readonly range: ByteRange;
  readonly done: RangeDone;
}

/** How many at once are with threads: koffi refuses what is beyond its own limit. */
const IN_FLIGHT_MAX = 32;

/** Changes of ranges of files, on threads; those for which there is no room wait for it. */
export class RangeCalls {
  readonly #call: RangeCall;
  readonly #errno: () => number;
  readonly #waiting: Waiting[] = [];
  #inFlight = 0;

  /** `errno`: of the call in this thread that was made last. */
  constructor(call: RangeCall, errno: () => number) {
    this.#call = call;
    this.#errno = errno;
  }

  start(fd: number, mode: number, range: ByteRange, done: RangeDone): void {
    const { offsetBytes, lengthBytes } = range;
    const isRange = offsetBytes >= 0 && lengthBytes > 0;
    if (!isRange || !Number.isSafeInteger(offsetBytes) || !Number.isSafeInteger(lengthBytes)) {
      throw new RangeError(
        `a range of ${String(lengthBytes)} bytes at ${String(offsetBytes)} of a file`,
      );
    }
    const change = { fd, mode, range, done };
    if (this.#inFlight < IN_FLIGHT_MAX) this.#run(change);
    else this.#waiting.push(change);
  }

  #run(change: Waiting): void {
    const { fd, mode, range, done } = change;
    this.#inFlight += 1;
    this.#call.async(fd, mode, range.offsetBytes, range.lengthBytes, (error, result) => {
      this.#inFlight -= 1;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#run(next);
      if (error !== null) done(error);
      else done(result === 0 ? null : this.#reason(change));
    });
  }

  /** Threads keep their errno to themselves: what failed there is tried again here, to learn it. */
  #reason({ fd, mode, range }: Waiting): NodeJS.ErrnoException | null {
    if (this.#call(fd, mode, range.offsetBytes, range.lengthBytes) === 0) return null;
    const errno = -this.#errno();
    const code = getSystemErrorName(errno);
    return Object.assign(new Error(`${code}: fallocate`), { errno, code, syscall: "fallocate" });
  }
}
