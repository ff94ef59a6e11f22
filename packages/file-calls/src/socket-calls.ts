import type { Bytes } from "@blkstack/bio";
import type { Ffi } from "./ffi.ts";

/** Calls of the system on open sockets that `node:net` does not have. */
export interface SocketCalls {
  /**
   * Asks for room for so many bytes that were written and that the other side has not read yet. The
   * system gives twice as much, to keep its own accounts in, and at most what its administrator allows.
   * Answers 0, or a negative errno.
   *
   * Waits: never. Throws a RangeError when that is no number of bytes.
   */
  setSendBuffer(fd: number, bytes: Bytes): number;
}

type SetOption = (
  ...args: [fd: number, level: number, name: number, value: Uint8Array, size: number]
) => number;

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const INT_MAX = 2 ** 31 - 1;

/** The calls of a C library, through koffi. */
export class LinuxSocketCalls implements SocketCalls {
  readonly #setOption: SetOption;
  readonly #errno: () => number;

  /** Throws when the C library lacks a call. */
  constructor(ffi: Ffi) {
    this.#setOption = ffi
      .load(null)
      .func("int setsockopt(int fd, int level, int name, void *value, uint32_t size)") as SetOption;
    this.#errno = () => ffi.errno();
  }

  setSendBuffer(fd: number, bytes: Bytes): number {
    if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > INT_MAX) {
      throw new RangeError(`a buffer of ${String(bytes)} bytes; give 1 to ${String(INT_MAX)}`);
    }
    const value = new Uint8Array(Int32Array.of(bytes).buffer);
    const answer = this.#setOption(fd, SOL_SOCKET, SO_SNDBUF, value, value.length);
    return answer === 0 ? 0 : -this.#errno();
  }
}
